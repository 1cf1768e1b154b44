#!/usr/bin/env bash
# One bundle for a GPU machine that has a driver, the CUDA toolkit and PyTorch, and nothing of .NET: program, tests, PTX, golden files,
# what the simulator predicts, the PyTorch twin. publish.sh [OUT] writes OUT/unicardio-gpu.tar.xz (below 64 MiB).
#   SIMULATE="h100 a100"  devices whose counts are taken here and shown beside the measured times (default h100; "" for none)
#   DRAWS="1 8 50 256"    draws of these
#   SIZES="full compact"  networks of these
#   GROUPS_EACH=6         groups a launch that the simulator executes
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); root=$(cd "$here/../.." && pwd)
out=${1:-$here/obj}; bundle=$out/unicardio-gpu
mkdir -p "$out"; rm -rf "$bundle"; mkdir -p "$bundle/app" "$bundle/ptx" "$bundle/simulated" "$bundle/shared/golden"
publish() { # the second of the two brings the larger framework, whose runtime both use
  dotnet publish "$root/$1" -c Release -r linux-x64 --self-contained -p:PublishDir="$bundle/app/" -p:DebugType=none \
    -p:GenerateDocumentationFile=false -p:SatelliteResourceLanguages=en -v quiet
}
publish tests/UniCardio.Gpu.Tests
publish tools/UniCardio.Cli
# Nothing here is compiled, edited or debugged; the runner of tests is the program's own.
(cd "$bundle/app" && rm -f ./*.xml ./*.pdb createdump libmscordaccore.so libmscordbi.so libSystem.*.a Microsoft.CodeAnalysis* \
  Microsoft.VisualBasic*.dll testhost* Microsoft.TestPlatform* Microsoft.VisualStudio.TestPlatform* Microsoft.VisualStudio.CodeCoverage* \
  xunit.runner.visualstudio* mscordaccore* && rm -rf wwwroot BlazorDebugProxy)
for arch in SM_80 SM_90; do "$bundle/app/unicardio" kernels --emit ptx --arch $arch --out "$bundle/ptx/$arch" > "$bundle/ptx/$arch.txt"; done
golden=$root/../shared/golden
[ -d "$golden" ] && cp "$golden"/{tiny,p5,p5slot,full}.eps.safetensors "$golden"/{tiny,full}.samplers.safetensors "$bundle/shared/golden/"
for device in ${SIMULATE-h100}; do
  for size in ${SIZES:-full compact}; do
    for draws in ${DRAWS:-1 8 50 256}; do
      "$bundle/app/unicardio" profile --backend ptx --device "$device" --size "$size" --draws "$draws" --groups "${GROUPS_EACH:-6}" --json \
        > "$bundle/simulated/$device-$size-$draws.json"
    done
  done
done
if [ -n "${SIMULATE-h100}" ]; then # weights that stay in 16 bits
  "$bundle/app/unicardio" convert recipe:1,full "$out/bf16.safetensors" --dtype bf16
  for device in ${SIMULATE-h100}; do
    "$bundle/app/unicardio" profile --backend ptx --device "$device" --weights "$out/bf16.safetensors" --draws 8 \
      --groups "${GROUPS_EACH:-6}" --json > "$bundle/simulated/$device-full-8-bf16.json"
  done
  rm "$out/bf16.safetensors"
fi
cp "$here"/{run.sh,report.py,twin.py} "$bundle/"
git -C "$root" rev-parse HEAD > "$bundle/commit" 2> /dev/null || echo unknown > "$bundle/commit"
tar -C "$out" -c unicardio-gpu | xz -T2 -6 > "$out/unicardio-gpu.tar.xz"
bytes=$(stat -c %s "$out/unicardio-gpu.tar.xz")
echo "$out/unicardio-gpu.tar.xz: $((bytes / 1048576)) MiB, $(du -sm "$bundle" | cut -f1) MiB unpacked"
[ "$bytes" -lt $((64 * 1048576)) ] || { echo "the bundle is over 64 MiB"; exit 1; }
