using ILGPU;

namespace UniCardio.Ptx.Tests.Sanitizing;

// One deliberate fault a kernel, each beside the smallest kernel without it.
public static class BrokenKernels
{
    public static void Sound(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(8);
        shared[Group.IdxX] = x[(Grid.IdxX * Group.DimX) + Group.IdxX];
        Group.Barrier();
        float sum = 0;
        for (int i = 0; i < Group.DimX; i++)
            sum += shared[i];
        y[(Grid.IdxX * Group.DimX) + Group.IdxX] = sum;
    }

    public static void MissingBarrier(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(8);
        shared[Group.IdxX] = x[(Grid.IdxX * Group.DimX) + Group.IdxX];
        y[(Grid.IdxX * Group.DimX) + Group.IdxX] = shared[Group.DimX - 1 - Group.IdxX];
    }

    // Written and read between barriers, then overwritten while others may still read.
    public static void MissingSecondBarrier(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(8);
        shared[Group.IdxX] = x[Group.IdxX];
        Group.Barrier();
        float neighbour = shared[(Group.IdxX + 1) % 8];
        shared[Group.IdxX] = neighbour;
        Group.Barrier();
        y[(Grid.IdxX * Group.DimX) + Group.IdxX] = shared[Group.IdxX];
    }

    // Every thread adds to one place: the rounding of the sum shows the order.
    public static void RacingSum(ArrayView<float> x, ArrayView<float> y)
    {
        if (Group.IsFirstThread)
            y[Grid.IdxX] = 0;
        Group.Barrier();
        y[Grid.IdxX] += x[(Grid.IdxX * Group.DimX) + Group.IdxX];
    }

    public static void ReadsOutside(ArrayView<float> x, ArrayView<float> y)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        y[i] = x[i + 1];
    }

    public static void WritesOutside(ArrayView<float> x, ArrayView<float> y)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        y[i - 1] = x[i];
    }

    public static void OutsideShared(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(4);
        shared[Group.IdxX] = x[Group.IdxX];
        Group.Barrier();
        y[Group.IdxX] = shared[Group.IdxX];
    }

    public static void DivergentBarrier(ArrayView<float> x, ArrayView<float> y)
    {
        if (Group.IdxX < 3)
            Group.Barrier();
        y[Group.IdxX] = x[Group.IdxX];
    }

    public static void DifferentBarriers(ArrayView<float> x, ArrayView<float> y)
    {
        if (Group.IdxX < 3)
            Group.Barrier();
        else
            Group.Barrier();
        y[Group.IdxX] = x[Group.IdxX];
    }

    public static void ReadsPoisonedShared(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(8);
        if (Group.IdxX > 0)
            shared[Group.IdxX] = x[Group.IdxX];
        Group.Barrier();
        y[Group.IdxX] = shared[Group.IdxX];
    }

    // Max hides a NaN where it is not the one that wins. The index is no constant, so the array stays in local memory.
    public static void HidesPoison(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> local = LocalMemory.Allocate<float>(2);
        local[Group.IdxX & 1] = x[Group.IdxX];
        y[Group.IdxX] = local[1] > local[0] ? local[1] : local[0];
    }

    public static void LeavesHole(ArrayView<float> x, ArrayView<float> y)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i != 5)
            y[i] = x[i];
    }

    public static void Misaligned(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<long> pairs = x.SubView(1).Cast<long>();
        y[Group.IdxX] = pairs[0];
    }

    public static void TooMuchShared(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> one = SharedMemory.Allocate<float>(12 * 1024);
        ArrayView<float> two = SharedMemory.Allocate<float>(1);
        one[Group.IdxX] = x[Group.IdxX];
        two[0] = 0;
        y[Group.IdxX] = one[Group.IdxX];
    }

    // Every group writes the first place.
    public static void RacingGroups(ArrayView<float> x, ArrayView<float> y)
    {
        y[(Grid.IdxX * Group.DimX) + Group.IdxX] = x[Group.IdxX];
        if (Group.IsFirstThread)
            y[0] = x[0];
    }

    // Reads what another group writes in the same launch.
    public static void ReadsOtherGroup(ArrayView<float> x, ArrayView<float> y)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        x[i] = 1;
        y[i] = x[(i + Group.DimX) % (Grid.DimX * Group.DimX)];
    }

    // Runs over the first of two shared arrays into the second.
    public static void OverrunsFirstShared(ArrayView<float> x, ArrayView<float> y)
    {
        ArrayView<float> one = SharedMemory.Allocate<float>(6);
        ArrayView<float> two = SharedMemory.Allocate<float>(8);
        two[Group.IdxX] = 0;
        Group.Barrier();
        one[Group.IdxX] = x[Group.IdxX];
        Group.Barrier();
        y[Group.IdxX] = one[0] + two[0];
    }

    // The first thread leaves before the barrier.
    public static void EndsBeforeBarrier(ArrayView<float> x, ArrayView<float> y)
    {
        if (Group.IsFirstThread)
            return;
        Group.Barrier();
        y[Group.IdxX] = x[Group.IdxX];
    }

    public static void NeverEnds(ArrayView<float> x, ArrayView<float> y)
    {
        while (x[Group.IdxX] < 100)
            y[Group.IdxX] = x[Group.IdxX];
    }
}
