using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using UniCardio.Gpu.Backend;

namespace UniCardio.Gpu.Devices;

/// <summary>How fast a device's multiprocessors are at the matrix products, by the time model: what the choice between float32 and tensor
/// cores goes by.</summary>
/// <param name="FloatLanes">Float32 multiply-adds a cycle and multiprocessor.</param>
/// <param name="TensorLanes">Multiply-adds of tf32 a cycle and multiprocessor by mma.sync; 0 for none.</param>
internal readonly record struct ProductRates(int FloatLanes, int TensorLanes)
{
    // Issue slots that the time model counts for a warp's 32 x 32 outputs and 32 inputs: 96 matrix instructions, 192 to split values, 64 to
    // add sums up, and the rest (kernels/README.md).
    private const double ThreeSlots = 485;

    // The same in float32: 1,024 multiply-adds, 96 loads from shared memory, 32 of addresses, and the copies.
    private const double SingleSlots = 1190;
    private const double Products = 32 * 32 * 32;

    /// <summary>Of a compute capability; one that is not in the table counts as without tensor cores.</summary>
    /// <remarks>
    /// Lanes as in the vendor's programming guide, tf32 from the data sheets' dense rates: 8.0 and 9.0 as in the simulator's table, where a
    /// test compares; 10.0 as 9.0, which is less than its data sheet says.
    /// </remarks>
    public static ProductRates Of(int major, int minor) => (major, minor) switch
    {
        (7, _) => new(64, 0),
        (8, 0) => new(64, 512),
        (8, _) or (12, _) => new(128, 128),
        (9, 0) or (10, 0) => new(128, 635),
        _ => new(128, 0),
    };

    /// <summary>Of a compute capability such as 9.0.</summary>
    public static ProductRates Of(string capability) =>
        Version.TryParse(capability, out Version? version) ? Of(version.Major, version.Minor) : new(128, 0);

    /// <summary>Multiply-adds a cycle and multiprocessor in float32: lanes or issue slots, whichever is less.</summary>
    public double Single => Math.Min(FloatLanes, 4 * Products / SingleSlots);

    /// <summary>The same where each product is three of tf32 parts.</summary>
    public double ThreeTf32 => TensorLanes == 0 ? 0 : Math.Min(TensorLanes / 3.0, 4 * Products / ThreeSlots);

    /// <summary>What <see cref="GpuPrecision.Automatic"/> is on a device.</summary>
    /// <param name="accelerator">The device.</param>
    public static GpuPrecision Choice(Accelerator accelerator) =>
        accelerator is CudaAccelerator cuda ? Choice(cuda.Architecture.Major, cuda.Architecture.Minor) : GpuPrecision.Single;

    /// <summary>What <see cref="GpuPrecision.Automatic"/> is on CUDA devices of a compute capability.</summary>
    public static GpuPrecision Choice(int major, int minor)
    {
        ProductRates rates = Of(major, minor);
        return rates.ThreeTf32 > rates.Single ? GpuPrecision.ThreeTf32 : major >= 8 ? GpuPrecision.SingleTiles : GpuPrecision.Single;
    }
}
