"""JupyterLab on this machine, Debian's chromium, and a notebook page to run and to move sliders in.

    with JupyterLab(root) as lab, browser() as chromium:
        page = lab.open(chromium, "notebooks/02_autoencoder.ipynb")
        page.run_all()

The notebook is never saved: autosave is off, and all settings and runtime files are in a temporary folder.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
         "--disable-background-networking", "--disable-sync"]
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is in the page
    "docmanager-extension/plugin": {"autosave": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
SLIDER = ".noUi-handle"
PICTURE = ".widget-image"


class NoBrowserError(RuntimeError):
    """There is no chromium on this machine, and none could be installed; the message says why."""


def find_chromium() -> str:
    """The path of a chromium, installed with apt where this process may; NoBrowserError otherwise."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path:
        return path
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise NoBrowserError("no chromium is installed; on Debian: sudo apt-get install chromium")
    command = ["sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        raise NoBrowserError("apt-get install chromium took more than five minutes") from None
    path = shutil.which("chromium")
    if done.returncode or not path:
        raise NoBrowserError(f"apt-get install chromium failed: {done.stderr.strip()[-200:]}")
    return path


@contextmanager
def browser(width: int = 1280, height: int = 900, zoom: int = 1):
    """A fresh headless browser context, its window `width` × `height` pixels; Playwright drives the system's chromium.

    zoom: of the browser, as with Ctrl +: at 2 a page has half the window's pixels across and down.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), headless=True, args=FLAGS)
        context = chromium.new_context(viewport={"width": width // zoom, "height": height // zoom},
                                       device_scale_factor=zoom)
        try:
            yield context
        finally:
            chromium.close()


class JupyterLab:
    """A JupyterLab server on `root`, loopback only, with a token, a free port and an empty configuration."""

    def __init__(self, root: Path):
        self.root = Path(root)

    def __enter__(self) -> "JupyterLab":
        self._folder = tempfile.TemporaryDirectory(prefix="course-lab-", ignore_cleanup_errors=True)
        home = Path(self._folder.name)
        for name, values in SETTINGS.items():
            package, plugin = name.split("/")
            path = home / "lab" / "user-settings" / "@jupyterlab" / package / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.token = secrets.token_hex(16)
        self._log = (home / "server.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(self._command(home), env=self._environment(home), stdout=self._log,
                                         stderr=subprocess.STDOUT)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()  # the server ends its kernels first
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def open(self, context, notebook: str) -> "NotebookPage":
        """Open a notebook, a path relative to the root, and wait for its kernel."""
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{self.port}/doc/tree/{notebook}?token={self.token}&reset")
        return NotebookPage(page)

    def _command(self, home: Path) -> list[str]:
        options = {
            "ServerApp.ip": "127.0.0.1", "ServerApp.port": self.port, "ServerApp.port_retries": 0,
            "ServerApp.open_browser": False, "ServerApp.root_dir": self.root, "ServerApp.allow_root": True,
            "IdentityProvider.token": self.token, "LabApp.expose_app_in_browser": True,
            "LabApp.extension_manager": "readonly", "LabApp.news_url": "None",
            "LabApp.user_settings_dir": home / "lab" / "user-settings",
            "LabApp.workspaces_dir": home / "lab" / "workspaces",
            "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        }
        return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]

    def _environment(self, home: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
        kept.pop("COURSE_SYNC_WIDGETS", None)  # as a learner has it: renders are scheduled
        folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        return {**kept, "JUPYTER_PREFER_ENV_PATH": "1", **{name: str(home / name) for name in folders}}

    def _wait(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api", timeout=2).close()
                return
            except OSError:
                time.sleep(0.2)
        self._log.seek(0)
        raise RuntimeError(f"JupyterLab did not start:\n{self._log.read()[-2000:]}")


class NotebookPage:
    """One open notebook. `page` is Playwright's page."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(60_000)
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext")
        page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.ready")
        page.wait_for_function("() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel")

    def run_all(self, seconds: float = 300) -> None:
        """Run all cells and wait until the kernel is done; an error in a cell raises AssertionError."""
        self.page.evaluate(
            """() => {
                window.ran = false;
                jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true; });
            }"""
        )
        self.page.wait_for_function("() => window.ran", timeout=1000 * seconds)
        errors = self.page.evaluate(
            """() => [...jupyterapp.shell.currentWidget.content.model.cells]
                .filter(cell => cell.type === 'code').flatMap(cell => cell.outputs.toJSON())
                .filter(output => output.output_type === 'error')
                .map(output => output.ename + ': ' + output.evalue)"""
        )
        assert not errors, f"a cell failed in the browser: {errors}"

    def add_cell(self, code: str) -> None:
        """Add a code cell at the end of the page, run it, and wait until it is done."""
        self.page.evaluate(
            """async code => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = notebook.widgets.length - 1;
                await jupyterapp.commands.execute('notebook:insert-cell-below');
                notebook.activeCell.model.sharedModel.setSource(code);
                await jupyterapp.commands.execute('notebook:run-cell');
            }""",
            code,
        )

    def execute(self, code: str) -> str:
        """Run code in the notebook's kernel, outside its cells, and return what it prints."""
        return self.page.evaluate(
            """async code => {
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const request = kernel.requestExecute({code, store_history: false, stop_on_error: false});
                let text = '';
                request.onIOPub = message => {
                    text += message.content.text || (message.content.traceback || []).join('\\n');
                };
                await request.done;
                return text.trim();
            }""",
            code,
        )

    def sweeps(self):
        """The live sweeps in the page, in order: each has its own picture and at least one slider."""
        inner = f":has({PICTURE}):has({SLIDER})"
        return self.page.locator(f".jp-OutputArea-output .widget-vbox{inner}")

    def press_and_time(self, sweep, presses: int = 30) -> list[float]:
        """Move the first slider back and forth by keyboard; milliseconds from key press to the new picture.

        The clock runs in the page: from the key event to the first frame after the new picture was decoded.
        """
        sweep.scroll_into_view_if_needed()
        handle = sweep.locator(SLIDER).first
        handle.focus()
        at_end = handle.evaluate("handle => +handle.ariaValueNow >= +handle.ariaValueMax")
        there, back = ("ArrowLeft", "ArrowRight") if at_end else ("ArrowRight", "ArrowLeft")
        sweep.locator(PICTURE).first.evaluate(
            """picture => {
                window.latencies = [];
                // Assigned, not added: a second call replaces the listeners of the first.
                window.onkeydown = () => { window.pressed = performance.now(); };
                picture.onload = () => requestAnimationFrame(
                    () => window.latencies.push(performance.now() - window.pressed));
            }"""
        )
        for i in range(presses):
            self.page.keyboard.press(back if i % 2 else there)
            self.page.wait_for_function("count => window.latencies.length > count", arg=i)
            self.page.wait_for_timeout(30)  # a reader presses, looks, and presses again
        return self.page.evaluate("() => window.latencies")

    def burst(self, sweep, events: int = 100) -> None:
        """Press the arrow keys of the first slider `events` times in one go, faster than any reader."""
        sweep.locator(SLIDER).first.evaluate(
            """(handle, events) => {
                handle.focus();
                for (let i = 0; i < events; i++) {
                    const key = i % 2 ? 'ArrowLeft' : 'ArrowRight';
                    handle.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
                }
            }""",
            events,
        )
