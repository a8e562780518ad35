const NEVER = '0x7fffffff'

/** The environment to count in: `rep movsb` counts as one instruction a byte, which it is not, so copies are made with vectors. */
export const CALLGRIND_ENV = {
  GLIBC_TUNABLES: `glibc.cpu.x86_rep_movsb_threshold=${NEVER}:glibc.cpu.x86_rep_stosb_threshold=${NEVER}`,
}
