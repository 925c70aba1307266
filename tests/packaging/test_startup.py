"""The line that every Python of the environment runs at its start."""

import subprocess

from tests.packaging.environments import clean_environment


def site_packages(environment):
    return next((environment.path / "lib").glob("python3*/site-packages"))


def test_both_kinds_of_startup_file_name_the_same_call(installed):
    site = site_packages(installed)

    pth = (site / "llmproxy_startup.pth").read_text()
    start = (site / "llmproxy_startup.start").read_text()

    module, _, function = start.strip().partition(":")
    assert pth.strip() == f"import {module}; {module}.{function}()"


def test_a_python_that_does_not_use_mitmproxy_imports_nothing_for_us(installed):
    added = installed.python(
        """
        import sys
        print(sorted(name for name in sys.modules if "llmproxy" in name or "mitm" in name))
        """
    )

    assert added.strip() == "['_llmproxy_startup']"


def test_the_hook_leaves_once_it_has_done_its_work(installed):
    said = installed.python(
        """
        import sys
        import mitmproxy.addons.script as script
        print([f for f in sys.meta_path if type(f).__module__ == "_llmproxy_startup"])
        print(type(script.__loader__).__name__, type(script.__spec__.loader).__name__)
        print(script.Script.__module__)
        """
    )

    assert said.split() == [
        "[]",
        "SourceFileLoader",
        "SourceFileLoader",
        "_llmproxy_startup.script",
    ]


def test_a_fault_of_ours_leaves_mitmproxy_working_and_says_so(installed, tmp_path):
    (tmp_path / "script.py").write_text("")
    broken = """
        import sys, _llmproxy_startup
        sys.modules["_llmproxy_startup.script"] = None
        from mitmproxy.addons.script import Script
        print(Script.__module__)
        """

    said = installed.python(broken)

    assert "mitmproxy's -s will not take folders: ModuleNotFoundError" in said
    assert said.splitlines()[-1] == "mitmproxy.addons.script"


def test_python_without_site_is_left_alone(installed):
    done = subprocess.run(
        [installed.bin / "python", "-S", "-c", "import sys; print(len(sys.meta_path))"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "3"
