using System.Diagnostics;

namespace UniCardio.Serving.Metrics;

/// <summary>The span of a request, as the root of what the server records of it.</summary>
internal static class RequestSpan
{
    /// <summary>
    /// Begins a span: a child of the caller's, if its request carries one (W3C Trace Context, <c>traceparent</c>), else a root.
    /// </summary>
    /// <remarks>
    /// Never a child of the activity that ASP.NET Core makes for each request. Nobody records that one, since the path it would carry
    /// names a patient; and samplers follow the parent by default, so that with it as parent nothing would be recorded at all.
    /// </remarks>
    /// <param name="name">Name of the span.</param>
    /// <param name="request">The request.</param>
    /// <returns>The span, current until it is disposed; null if nobody listens.</returns>
    public static Activity? Start(string name, HttpRequest request)
    {
        if (!ServingMetrics.Activities.HasListeners())
            return null;
        // The state that a caller may send along is left out: it may hold anything.
        ActivityContext.TryParse(request.Headers.TraceParent, null, isRemote: true, out ActivityContext caller);
        // Without a parent the current one would be taken. What is set here ends with the endpoint's method.
        Activity.Current = null;
        return ServingMetrics.Activities.StartActivity(name, ActivityKind.Server, caller);
    }
}
