using UniCardio.Engine.Backends.Cpu.Kernels;

namespace UniCardio.Engine.Tests.Backends.Cpu;

public class QueryBlocksTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void BlocksCoverTheRowsAndPartsBeginWithOne(int lanes)
    {
        for (int rows = 0; rows <= 200; rows++)
        {
            var blocks = new QueryBlocks(rows, lanes);
            var starts = new List<int>();
            for (int row = 0; row < rows; row += blocks.WidthAt(row))
            {
                starts.Add(row);
                for (int i = row; i < Math.Min(rows, row + blocks.WidthAt(row)); i++)
                    Assert.Equal(row, blocks.StartOf(i));
            }

            Assert.Equal(rows, blocks.StartOf(rows + 7));
            for (int parts = 1; parts <= 5; parts++)
            {
                int[] edges = [.. Enumerable.Range(0, parts + 1).Select(p => blocks.PartStart(p, parts))];
                Assert.Equal((0, rows), (edges[0], edges[^1]));
                Assert.Equal(edges.Order(), edges);
                Assert.All(edges[..^1], e => Assert.True(e == rows || starts.Contains(e), $"{rows} rows, {parts} parts: {e}"));
            }
        }
    }

    [Theory]
    [InlineData(100, 16, 112, 48)]
    [InlineData(200, 16, 208, 96)]
    [InlineData(500, 16, 512, 256)]
    [InlineData(16, 16, 16, 0)]
    [InlineData(100, 8, 112, 48)]
    public void FewLanesAreEmptyAndTwoPartsNearlyEven(int rows, int lanes, int expectedLanes, int second)
    {
        var blocks = new QueryBlocks(rows, lanes);
        int all = 0;
        for (int row = 0; row < rows; row += blocks.WidthAt(row))
            all += blocks.WidthAt(row);
        Assert.Equal(expectedLanes, all);
        Assert.Equal(second, blocks.PartStart(1, 2));
    }
}
