using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>Sum over the threads of a group, in an order that depends on the group's size alone.</summary>
internal static class GroupSumStage
{
    /// <summary>Leaves the sum of the first DimX DimY elements in element 0; ends with a barrier.</summary>
    public static void Run(ArrayView<float> sums)
    {
        int thread = (Group.IdxY * Group.DimX) + Group.IdxX;
        Group.Barrier();
        for (int count = Group.DimX * Group.DimY; count > 1; count = (count + 1) / 2)
        {
            int half = (count + 1) / 2;
            if (thread < count - half)
                sums[thread] += sums[thread + half];
            Group.Barrier();
        }
    }
}
