namespace UniCardio.Ptx.Cuda;

/// <summary>What a driver function returns, of CUresult's values those in use.</summary>
internal enum CudaResult
{
    Success = 0,
    InvalidValue = 1,
    OutOfMemory = 2,
    InvalidImage = 200,
    InvalidHandle = 400,
    NotFound = 500,
    NotReady = 600,
    IllegalAddress = 700,
    LaunchOutOfResources = 701,
    LaunchFailed = 719,
    StreamCaptureUnsupported = 900,
    StreamCaptureInvalidated = 901,
    Unknown = 999,
}

/// <summary>A refusal on its way to the caller of a driver function.</summary>
internal sealed class CudaException(CudaResult result, string message) : Exception(message)
{
    public CudaResult Result => result;
}
