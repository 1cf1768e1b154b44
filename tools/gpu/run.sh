#!/usr/bin/env bash
# On a GPU machine, in the unpacked bundle: two commands of at most 10 minutes each, then OUT/report.md.
#   run.sh check [OUT]   devices, ptxas -v, golden files, tests, compute-sanitizer
#   run.sh time  [OUT]   bench at 1, 8, 50, 256 draws (events a kernel), the PyTorch twin, ncu, the report
# A step that fails or runs out of its time is a line of the report; the others go on. UNICARDIO_SIMULATED_GPU=h100 rehearses both on
# the simulator (with UNICARDIO_REHEARSAL=1 in seconds, on the smallest network).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd); cd "$here"
part=${1:-}; out=${2:-$here/out}; mkdir -p "$out"
app=$here/app/unicardio; python=${PYTHON:-python3}; simulated=${UNICARDIO_SIMULATED_GPU:-}; short=${UNICARDIO_REHEARSAL:-}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 PATH=$PATH:/usr/local/cuda/bin
case $part in check | time) ;; *) sed -n '2,7p' "$0"; exit 2 ;; esac

# ILGPU opens the unversioned libcuda.so, which drivers seldom install: a link beside the program.
if [ -z "$simulated" ]; then
  driver=$(ldconfig -p 2> /dev/null | awk '/libcuda\.so\.1 .*x86-64/ { print $NF; exit }')
  for known in "$driver" /usr/lib/x86_64-linux-gnu/libcuda.so.1 /usr/lib64/libcuda.so.1 /usr/local/cuda/compat/libcuda.so.1; do
    [ -n "$known" ] && [ -e "$known" ] && { ln -sf "$known" app/libcuda.so; break; }
  done
fi

# The limits of each command's steps sum to less than 10 minutes: check 10 + 30 + 60 + 6 x 30 + 2 x 20 + 150 + 2 x 55 = 580, time 8 x 20 +
# 5 x 20 + 20 + 20 + 190 + 90 = 580; and no step is given more than what is left of 590 s.
step() { # step NAME SECONDS COMMAND...: stdout to OUT/NAME, the rest to OUT/NAME.err, seconds and status to OUT/steps
  local name=$1 limit=$2 begin=$SECONDS; shift 2
  # The simulator is no GPU: a rehearsal takes the time that it takes.
  if [ -n "$simulated" ]; then limit=$((20 * limit)); elif [ "$limit" -gt $((590 - begin)) ]; then limit=$((590 - begin)); fi
  [ "$limit" -gt 0 ] || { printf '%s\t-\t0\tno time was left\n' "$name" >> "$out/steps"; return 0; }
  timeout "$limit" "$@" > "$out/$name" 2> "$out/$name.err"; local status=$?
  printf '%s\t%s\t%s\t%s\n' "$name" "$status" "$((SECONDS - begin))" "$(tail -1 "$out/$name.err" | tr '\t' ' ' | cut -c1-200)" >> "$out/steps"
  echo "$name: status $status, $((SECONDS - begin)) s"
}
have() { command -v "$1" > /dev/null || { printf '%s\t%s\t0\t%s is not on this machine\n' "$2" - "$1" >> "$out/steps"; return 1; }; }
sizes=${SIZES:-full compact} draws=${DRAWS:-1 8 50 256} files="tiny.eps p5.eps p5slot.eps tiny.samplers full.eps full.samplers" calls=
[ -n "$short" ] && { sizes=tiny draws=1 files=p5slot.eps calls="--calls 1"; }

if [ "$part" = check ]; then
  rm -f "$out/steps"
  have nvidia-smi nvidia-smi.csv && step nvidia-smi.csv 10 nvidia-smi \
    --query-gpu=name,compute_cap,driver_version,memory.total,clocks.max.sm,clocks.sm,power.limit --format=csv
  step devices.json 30 "$app" devices --json
  if have ptxas ptxas.txt; then
    architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | head -1 | tr -d .)
    folder=SM_80; [ "${architecture:-90}" -ge 90 ] && folder=SM_90
    assemble() { for f in ptx/$folder/*.ptx; do echo "== $(basename "$f" .ptx)"; ptxas -v -arch="sm_${architecture:-90}" "$f" -o /dev/null 2>&1; done; }
    export -f assemble; export folder architecture
    step ptxas.txt 60 bash -c assemble
  fi
  for f in $files; do
    [ -e "shared/golden/$f.safetensors" ] || continue
    seed=1; case $f in full.*) seed=2 ;; p5.*) seed=3 ;; p5slot.*) seed=4 ;; esac
    step "golden-$f.json" 30 "$app" golden verify --weights recipe:$seed --golden "shared/golden/$f.safetensors" --backend cuda --json
  done
  # The float32 kernels, which the device's rule may not choose.
  for precision in single singletiles; do
    [ -e "shared/golden/p5slot.eps.safetensors" ] || continue
    step "golden-p5slot.eps-$precision.json" 20 "$app" golden verify --weights recipe:4 --golden shared/golden/p5slot.eps.safetensors \
      --backend cuda --precision $precision --json
  done
  if [ -z "$simulated" ]; then
    UNICARDIO_TEST_DEVICE=cuda step tests.txt 150 app/UniCardio.Gpu.Tests
  elif [ -n "$short" ]; then
    step tests.txt 100 app/UniCardio.Gpu.Tests EmissionTests.TensorKernels
  fi
  have compute-sanitizer sanitizer.txt && for tool in memcheck racecheck; do
    step "sanitizer-$tool.txt" 55 compute-sanitizer --tool $tool --error-exitcode 9 "$app" bench --backend cuda --size tiny --calls 1
  done
else
  for size in $sizes; do
    for n in $draws; do
      step "bench-$size-$n.json" 20 "$app" bench --backend cuda --size "$size" --draws "$n" $calls --json
    done
  done
  # Those that the device's rule did not choose, beside the one it did.
  [ -n "$short" ] || for precision in single singletiles threetf32 onetf32 bfloat16; do
    step "bench-full-8-$precision.json" 20 "$app" bench --backend cuda --size full --draws 8 --precision $precision $calls --json
  done
  # Weights that stay in 16 bits.
  size=full n=8; [ -n "$short" ] && { size=tiny n=4; }
  step weights.txt 20 "$app" convert "recipe:1,$size" "$out/bf16.safetensors" --dtype bf16
  step "bench-$size-$n-bf16.json" 20 "$app" bench --backend cuda --weights "$out/bf16.safetensors" --draws $n $calls --json
  if [ -z "${NO_TWIN:-}" ] && "$python" -c 'import torch' 2> /dev/null; then
    if [ -n "$short" ]; then
      step twin.json 100 "$python" twin.py --check shared/golden/tiny.eps.safetensors --draws 1 --seconds 2
    else
      step twin.json 190 "$python" twin.py --check shared/golden/tiny.eps.safetensors shared/golden/full.eps.safetensors \
        --draws $draws --seconds 140
    fi
  else
    printf 'twin.json\t-\t0\tPyTorch is not on this machine, or NO_TWIN is set\n' >> "$out/steps"
  fi
  if [ -z "$simulated" ] && have ncu ncu.csv; then
    step ncu.csv 90 ncu --csv --launch-skip 33 --launch-count 33 --metrics gpu__time_duration.sum,sm__throughput.avg.pct_of_peak_sustained_elapsed,l1tex__data_bank_conflicts_pipe_lsu.sum,launch__registers_per_thread,launch__occupancy_limit_registers,sm__warps_active.avg.pct_of_peak_sustained_active,lts__t_bytes.sum,dram__bytes.sum \
      "$app" bench --backend cuda --size full --draws 8 --calls 1
  fi
  "$python" report.py "$here" "$out" > "$out/report.md" || exit 1
  echo "$out/report.md"
fi
exit 0
