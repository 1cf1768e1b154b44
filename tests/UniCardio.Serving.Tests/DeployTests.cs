using k8s;
using k8s.Models;

namespace UniCardio.Serving.Tests;

/// <summary>
/// The files of tools/deploy against the fields that the documented interfaces have: Kubernetes by the types of its own client, which are
/// generated from its OpenAPI document, KServe by those of its reference (serving.kserve.io, v1alpha1 ServingRuntime and v1beta1
/// InferenceService), written down below. An unknown field, or a value of another type, is an error.
/// </summary>
public class DeployTests
{
    private static readonly Dictionary<string, Type> KServe = new()
    {
        ["serving.kserve.io/v1alpha1/ServingRuntime"] = typeof(ServingRuntime),
        ["serving.kserve.io/v1beta1/InferenceService"] = typeof(InferenceService),
    };

    private static string Text(string name) => File.ReadAllText(Project.File("tools", "deploy", name));

    private static List<object> Read(string text) => KubernetesYaml.LoadAllFromString(text, KServe, strict: true);

    public static TheoryData<string, string> Files() => new()
    {
        { "infer.yaml", "V1Deployment,V1Service,V2HorizontalPodAutoscaler" },
        { "live.yaml", "V1StatefulSet,V1Service,V1ConfigMap,V1Deployment,V1Service" },
        { "archive-job.yaml", "V1Job" },
        { "kserve.yaml", "ServingRuntime,InferenceService" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryFieldIsOneOfTheInterface(string name, string kinds)
    {
        Assert.Equal(kinds.Split(','), Read(Text(name)).Select(o => o.GetType().Name));
    }

    [Theory]
    [InlineData("infer.yaml", "periodSeconds: 2", "periodSecond: 2")]
    [InlineData("infer.yaml", "replicas: 3", "replicas: three")]
    [InlineData("live.yaml", "volumeClaimTemplates:", "volumeClaimTemplate:")]
    [InlineData("kserve.yaml", "storageUri:", "storageURI:")]
    [InlineData("kserve.yaml", "supportedModelFormats:", "modelFormats:")]
    public void AFieldThatTheInterfaceDoesNotHaveIsFound(string name, string field, string wrong)
    {
        string text = Text(name);
        Assert.Contains(field, text, StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => Read(text.Replace(field, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void PortsProbesSelectorsAndClaimsMeet()
    {
        foreach (string name in Files().Select(row => (string)row[0]))
        {
            List<object> all = Read(Text(name));
            foreach ((V1PodSpec pod, IDictionary<string, string>? labels, V1LabelSelector? selector) in all.SelectMany(Pods))
            {
                Assert.All(selector?.MatchLabels ?? new Dictionary<string, string>(), l => Assert.Equal(l.Value, labels![l.Key]));
                foreach (V1Container container in pod.Containers)
                {
                    CheckSettings(container);
                    V1Probe?[] probes = [container.StartupProbe, container.ReadinessProbe, container.LivenessProbe];
                    foreach (V1HTTPGetAction get in probes.OfType<V1Probe>().Select(p => p.HttpGet))
                    {
                        Assert.StartsWith("/v2/health/", get.Path, StringComparison.Ordinal);
                        Assert.Contains(container.Ports, p => p.Name == get.Port.Value || $"{p.ContainerPort}" == get.Port.Value);
                    }
                }
            }

            foreach (V1Service service in all.OfType<V1Service>())
            {
                (V1PodSpec pod, _, _) = Assert.Single(all.SelectMany(Pods),
                    p => service.Spec.Selector.All(l => p.Labels!.TryGetValue(l.Key, out string? value) && value == l.Value));
                Assert.All(service.Spec.Ports, p => Assert.Contains(pod.Containers.SelectMany(c => c.Ports),
                    c => p.TargetPort is null ? c.ContainerPort == p.Port : c.Name == p.TargetPort.Value));
            }
        }
    }

    // A server that was given a setting it does not know would not start.
    private static void CheckSettings(V1Container container)
    {
        const string Prefix = ServerConfiguration.VariablePrefix;
        string[] known = ["UNICARDIO_TOKEN", .. ServerSetting.All.Select(s => Prefix + s.Key.ToUpperInvariant())];
        Assert.All((container.Env ?? []).Select(e => e.Name).Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)),
            name => Assert.Contains(name, known));
    }

    private static IEnumerable<(V1PodSpec Pod, IDictionary<string, string>? Labels, V1LabelSelector? Selector)> Pods(object o) => o switch
    {
        V1Deployment d => [(d.Spec.Template.Spec, d.Spec.Template.Metadata.Labels, d.Spec.Selector)],
        V1StatefulSet s => [(s.Spec.Template.Spec, s.Spec.Template.Metadata.Labels, s.Spec.Selector)],
        V1Job j => [(j.Spec.Template.Spec, j.Spec.Template.Metadata?.Labels, null)],
        ServingRuntime r => [(new V1PodSpec { Containers = r.Spec!.Containers }, null, null)],
        _ => [],
    };

    [Fact]
    public void KServesServiceFindsItsRuntime()
    {
        List<object> all = Read(Text("kserve.yaml"));
        ServingRuntimeSpec runtime = all.OfType<ServingRuntime>().Single().Spec!;
        ModelSpec model = all.OfType<InferenceService>().Single().Spec!.Predictor!.Model!;
        Assert.Equal(all.OfType<ServingRuntime>().Single().Metadata!.Name, model.Runtime);
        Assert.Contains(runtime.SupportedModelFormats!, f => f.Name == model.ModelFormat!.Name);
        Assert.Contains(model.ProtocolVersion, runtime.ProtocolVersions!);
        // The controller mounts storageUri at /mnt/models of the container of this name.
        V1Container container = Assert.Single(runtime.Containers!, c => c.Name == "kserve-container");
        Assert.Contains(container.Args, a => a.StartsWith("/mnt/models/", StringComparison.Ordinal));
    }

    internal record Resource<T>
    {
        public string? ApiVersion { get; set; }

        public string? Kind { get; set; }

        public V1ObjectMeta? Metadata { get; set; }

        public T? Spec { get; set; }
    }

    internal sealed record ServingRuntime : Resource<ServingRuntimeSpec>;

    internal sealed record InferenceService : Resource<InferenceServiceSpec>;

    internal sealed record ServingRuntimeSpec
    {
        public List<SupportedModelFormat>? SupportedModelFormats { get; set; }

        public bool? MultiModel { get; set; }

        public bool? Disabled { get; set; }

        public List<string>? ProtocolVersions { get; set; }

        public List<V1Container>? Containers { get; set; }

        public List<V1Volume>? Volumes { get; set; }

        public Dictionary<string, string>? NodeSelector { get; set; }

        public V1Affinity? Affinity { get; set; }

        public List<V1Toleration>? Tolerations { get; set; }

        public Dictionary<string, string>? Labels { get; set; }

        public Dictionary<string, string>? Annotations { get; set; }

        public List<V1LocalObjectReference>? ImagePullSecrets { get; set; }

        public bool? HostIPC { get; set; }

        public int? Replicas { get; set; }
    }

    internal sealed record SupportedModelFormat
    {
        public string? Name { get; set; }

        public string? Version { get; set; }

        public bool? AutoSelect { get; set; }

        public int? Priority { get; set; }
    }

    internal sealed record InferenceServiceSpec
    {
        public Predictor? Predictor { get; set; }
    }

    // A pod's fields, and these beside them.
    internal sealed record Predictor : V1PodSpec
    {
        public ModelSpec? Model { get; set; }

        public int? MinReplicas { get; set; }

        public int? MaxReplicas { get; set; }

        public int? ScaleTarget { get; set; }

        public string? ScaleMetric { get; set; }

        public long? ContainerConcurrency { get; set; }

        public long? Timeout { get; set; }

        public long? CanaryTrafficPercent { get; set; }

        public V1DeploymentStrategy? DeploymentStrategy { get; set; }

        public Dictionary<string, string>? Labels { get; set; }

        public Dictionary<string, string>? Annotations { get; set; }
    }

    // A container's fields, and these beside them.
    internal sealed record ModelSpec : V1Container
    {
        public ModelFormat? ModelFormat { get; set; }

        public string? Runtime { get; set; }

        public string? RuntimeVersion { get; set; }

        public string? ProtocolVersion { get; set; }

        public string? StorageUri { get; set; }
    }

    internal sealed record ModelFormat
    {
        public string? Name { get; set; }

        public string? Version { get; set; }
    }
}
