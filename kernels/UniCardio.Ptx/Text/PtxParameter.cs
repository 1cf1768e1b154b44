namespace UniCardio.Ptx.Text;

/// <summary>A parameter of a kernel.</summary>
/// <param name="Name">As written.</param>
/// <param name="Offset">Where it begins in the parameters' bytes.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Alignment">Its alignment in bytes.</param>
internal sealed record PtxParameter(string Name, int Offset, int Bytes, int Alignment);
