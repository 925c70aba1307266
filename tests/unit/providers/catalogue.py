"""All hand-written exchanges: `SAMPLES` of every module `samples*.py` beside this one."""

from importlib import import_module
from pathlib import Path

from tests.unit.providers.sample import Sample


def _found() -> list[Sample]:
    names = sorted(file.stem for file in Path(__file__).parent.glob("samples*.py"))
    modules = [import_module(f"tests.unit.providers.{name}") for name in names]
    return [sample for module in modules for sample in getattr(module, "SAMPLES", ())]


SAMPLES = _found()
SPEAKING = [sample for sample in SAMPLES if sample.speaks]
STREAMED = [sample for sample in SAMPLES if sample.events]
