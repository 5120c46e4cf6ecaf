"""Takes the pictures of a rollout's page that stand in the README.

    python docs/pictures/rollout.py         the page of rollout.json again
    python docs/pictures/rollout.py --run   of a rollout that is run first, in two minutes

The rollout is real: the census models and traffic of the tests, on this machine. It needs Chromium
and what `make setup` and `make extras` install.
"""

import io
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE: Final = Path(__file__).parent
SEEN: Final = HERE / "rollout.json"
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from pilotage.control.rollouts.view import RolloutView  # noqa: E402
from simulators.served_page import served_page  # noqa: E402

WIDE: Final = {"width": 1200, "height": 1540}
PHONE: Final = {"width": 390, "height": 844}
PICTURES: Final[dict[str, dict[str, Any]]] = {
    "rollout-light.png": {"viewport": WIDE, "color_scheme": "light"},
    "rollout-dark.png": {"viewport": WIDE, "color_scheme": "dark"},
    "rollout-phone.png": {"viewport": PHONE, "color_scheme": "light", "device_scale_factor": 2},
}
WISHES: Final = (
    *("--block", "1s", "--exposure", "20s", "--exposure-units", "400"),
    *("--window", "5s", "--window-requests", "20", "--shadow", "20s", "--canary", "5%,25%"),
    *("--guard", "error_rate not_worse_by 1pp", "--guard", "accuracy not_worse_by 2pp"),
    *("--guard", "disagreement at_most 8%", "--guard", "engine_time not_worse_by 30%"),
    *("--control-port", "0", "--no-live"),
)
STAGE: Final = "canary 25 %"
STAGE_S: Final = 12.0
"""The view is of this stage, after so long."""


def main() -> None:
    if "--run" in sys.argv:
        view = run(Path(tempfile.mkdtemp()))
        SEEN.write_bytes(msgspec.json.format(msgspec.json.encode(view), indent=1))
    for name, data in taken(seen_before()).items():
        (HERE / name).write_bytes(data)


def seen_before() -> RolloutView:
    """The rollout as it was when it was last run."""
    return msgspec.json.decode(SEEN.read_bytes(), type=RolloutView)


def run(folder: Path) -> RolloutView:
    """A rollout of an equally good candidate, while it gets a quarter of the traffic."""
    import rollout_models as models
    from rollout_runs import Trial
    from servers import serving
    from traffic import saved, traffic

    (folder / "v1.onnx").write_bytes(models.baseline())
    (folder / "v2.onnx").write_bytes(models.equal())
    people, labels = models.people()
    rows, truths = saved(people, folder / "rows.npy"), saved(labels, folder / "labels.npy")
    words = [f"{models.MODEL}={folder / 'v1.onnx'}", "--candidate", str(folder / "v2.onnx")]
    with serving(folder, {}, *words, *WISHES) as server:
        trial = Trial(server, rows, truths)
        outcomes = {"after_s": 0.5, "late": 0.05, "twice": 0.02, "corrected": 0.02}
        with traffic(trial.plan(per_s=600.0, outcomes=outcomes)):
            return trial.until(_is_in_stage, STAGE, 150.0)


def _is_in_stage(view: RolloutView) -> bool:
    now = next((stage for stage in view.stages if stage.when == "now"), None)
    return now is not None and now.name == STAGE and now.seen_s >= STAGE_S


def taken(view: RolloutView) -> dict[str, bytes]:
    """Every picture of the page as it shows the view, by the name of its file."""
    with served_page() as served, sync_playwright() as started:
        served.show(view)
        # The page is ours, and a container's root has no other way to start it.
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        found = {
            name: _small(_taken(browser, served.url, view.updated_at, options))
            for name, options in PICTURES.items()
        }
        browser.close()
        return found


def _taken(browser: Browser, url: str, at_s: float, options: dict[str, Any]) -> bytes:
    page = browser.new_page(reduced_motion="reduce", **options)
    page.clock.set_fixed_time(datetime.fromtimestamp(at_s, UTC))
    page.goto(url)
    page.locator(".drawing svg").first.wait_for()
    data = page.screenshot()
    page.close()
    return data


def _small(data: bytes) -> bytes:
    """The picture with 256 colours, which text and lines do not miss."""
    image = Image.open(io.BytesIO(data)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
