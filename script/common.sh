# What the scripts share: strict mode, the project's root as working directory, and how much the machine bears.
# To be sourced by bash.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A big translation unit takes about this much memory, more under a sanitizer.
readonly job_mib=1300

# As many jobs as there are cores, but no more than the free memory allows. SPL_JOBS overrides it.
job_count() {
  if [[ -n ${SPL_JOBS:-} ]]; then
    echo "$SPL_JOBS"
    return
  fi
  local cores free_mib limit used
  cores=$(nproc)
  free_mib=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit =~ ^[0-9]+$ ]]; then
    used=$(awk '$1 == "anon" { print $2 }' /sys/fs/cgroup/memory.stat 2>/dev/null || true)
    limit=$(((limit - ${used:-0}) / 1048576))
    if ((limit < free_mib)); then free_mib=$limit; fi
  fi
  local jobs=$((free_mib / job_mib))
  if ((jobs > cores)); then jobs=$cores; fi
  if ((jobs < 1)); then jobs=1; fi
  echo "$jobs"
}

# Runs a command with its addresses where the sanitizers' run-time libraries expect them: not all know the wide address
# randomisation of newer kernels. Where that cannot be had, the command runs as it is.
with_fixed_addresses() {
  if setarch "$(uname -m)" -R true 2>/dev/null; then
    setarch "$(uname -m)" -R "$@"
  else
    "$@"
  fi
}

# Every C++ file of the project, one a line.
cxx_files() {
  find src tests fuzz bench examples -type f \( -name '*.h' -o -name '*.cc' \) 2>/dev/null | LC_ALL=C sort
}
