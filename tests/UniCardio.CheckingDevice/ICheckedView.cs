namespace UniCardio.CheckingDevice;

/// <summary>What a launch finds its memory by.</summary>
internal interface ICheckedView
{
    CheckedMemory? Memory { get; }
}
