using System.IO.Pipelines;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference.Grpc;

/// <summary>
/// Bodies of gRPC calls under the limits of all others: the framework gathers a message before anybody is asked, so what it gathers is
/// counted while it comes.
/// </summary>
internal sealed class GrpcBody(RequestDelegate next, ServerOptions options, ModelHost host, ByteBudget budget)
{
    private const string ContentType = "application/grpc";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) != true)
        {
            await next(context);
            return;
        }
        using ByteBudget.Lease lease = budget.Take(0);
        if (context.Request.Headers["grpc-encoding"].ToString() is not ("" or "identity"))
            // What comes out of it is known only when it is out.
            lease.GrowTo(2 * options.MaxBodyBytes);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, host.Bodies);
        time.CancelAfter(options.RequestTime);
        context.Features.Set<IRequestBodyPipeFeature>(new Counted(context.Request.BodyReader, lease, options, host, time.Token));
        await next(context);
    }

    /// <summary>Counts what is gathered twice, as bytes and as the message that is made of them.</summary>
    private sealed class Counted(PipeReader inner, ByteBudget.Lease lease, ServerOptions options, ModelHost host, CancellationToken time)
        : PipeReader, IRequestBodyPipeFeature
    {
        public PipeReader Reader => this;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            using IDisposable reading = host.Reading();
            try
            {
                return Count(await inner.ReadAsync(time));
            }
            catch (OperationCanceledException) when (time.IsCancellationRequested)
            {
                if (host.Bodies.IsCancellationRequested)
                    throw GrpcInference.Refusal(StatusCodes.Status503ServiceUnavailable, RequestException.Stopping().Message);
                throw new RpcException(new Status(StatusCode.DeadlineExceeded, FormattableString.Invariant(
                    $"the message did not come within {options.RequestTime.TotalSeconds:0.###} s, or the client has gone")));
            }
        }

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result) && Count(result).Buffer.Length >= 0;

        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        private ReadResult Count(ReadResult result)
        {
            try
            {
                lease.GrowTo(2 * result.Buffer.Length);
                return result;
            }
            catch (RequestException refused)
            {
                throw GrpcInference.Refusal(refused.Status, refused.Message);
            }
        }
    }
}
