"""What a network computes in: 32 bits or 16, and which of them the processor is made for.

Under 16 bits the weights, geometry, NMS and losses stay in 32 (Keras' mixed policies).
"""

from __future__ import annotations

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
PRECISIONS = ("float32", "bfloat16", "float16")

# The instructions that multiply in 16 bits, as Linux lists them on x86 and ARM.
INSTRUCTIONS = {
    "bfloat16": {"amx_bf16": "AMX", "avx512_bf16": "AVX512", "bf16": "NEON", "svebf16": "SVE"},
    "float16": {"amx_fp16": "AMX", "avx512_fp16": "AVX512", "asimdhp": "NEON"},
}


def policy(precision: str | None) -> str | None:
    """Keras' dtype policy of a precision, as ``"mixed_bfloat16"``; None stays None."""
    return f"mixed_{precision}" if precision in INSTRUCTIONS else precision


def instructions(precision: str) -> tuple[str, ...] | None:
    """Which instructions this processor has for 16 bits, as ``("AMX", "AVX512")``.

    Args:
        precision: "bfloat16" or "float16".

    Returns:
        Their names, () where it has none, None where the system does not tell.
    """
    flags = _processor_flags()
    if flags is None:
        return None
    return tuple(name for flag, name in INSTRUCTIONS[precision].items() if flag in flags)


def _processor_flags() -> set[str] | None:
    """The instruction sets that Linux lists (flags on x86, Features on ARM); None elsewhere."""
    if not CPUINFO.exists():
        return None
    for line in CPUINFO.read_text().splitlines():
        if line.startswith(("flags", "Features")):
            return set(line.partition(":")[2].split())
    return None
