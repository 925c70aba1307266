"""How a folder given to `-s` loads, fails and reloads, in a real mitmdump."""

import os
import shutil
import textwrap

import pytest

from tests.packaging.environments import Addons

pytestmark = pytest.mark.system

RUNNING = ("running second old", "running first old")


def ends(process, code):
    process.wait(lambda: process.process.poll() is not None)
    assert process.process.returncode == code, process.output
    return process.output


def single(folder, text):
    """A folder with one addon file and no order of its own."""
    folder.mkdir()
    (folder / "only.py").write_text(textwrap.dedent(text))
    return folder


def test_an_edit_takes_over_and_then_the_old_code_is_told(mitmdump, addons):
    with mitmdump("-s", "addons/") as process:
        process.wait_events(*RUNNING)

        addons.write("shared", "WORD = 'new'")

        process.wait_events(
            "load second new",
            "load first new",
            "done second old",
            "done first old",
            "running second new",
            "running first new",
        )


def test_an_edit_that_keeps_size_and_second_is_seen(mitmdump, addons):
    with mitmdump("-s", "addons/") as process:
        process.wait_events(*RUNNING)
        before = (addons.folder / "shared.py").stat().st_mtime_ns
        path = addons.write("shared", "WORD = 'new'")
        os.utime(path, ns=(before + 1, before + 1))

        process.wait_events("running second new", "running first new")


def test_a_new_file_and_a_changed_order_are_picked_up(mitmdump, addons):
    with mitmdump("-s", "addons/") as process:
        process.wait_events(*RUNNING)
        text = (addons.folder / "first.py").read_text()
        addons.write("third", text.replace("first", "third"))
        addons.write("__init__", "from addons import third\naddons = third.addons")

        process.wait_events(
            "load third old", "done second old", "done first old", "running third old"
        )


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("WORD = = 3", "SyntaxError"),
        ("raise KeyError('top level')", "KeyError"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_a_broken_edit_keeps_the_old_code_and_says_where(mitmdump, addons, broken, said):
    with mitmdump("-s", "addons/") as process:
        process.wait_events(*RUNNING)

        path = addons.write("shared", f"# one\n{broken}")

        process.wait_says(f"the old code stays in force) addons/: {said} at {path}:2")
        assert process.events[-2:] == list(RUNNING)
        addons.write("shared", "WORD = 'mended'")
        process.wait_events("running second mended", "running first mended")


@pytest.mark.parametrize("hook", ["load", "configure"])
def test_an_edit_whose_start_fails_keeps_the_old_code(mitmdump, addons, hook):
    with mitmdump("-s", "addons/") as process:
        process.wait_events(*RUNNING)
        addons.write(
            "first",
            f"""
            from mitmproxy import command, ctx, exceptions

            class First:
                name = "first"

                def {hook}(self, argument):
                    ctx.options.update(listen_host="127.0.0.9")
                    raise exceptions.OptionsError("no such thing")

            addons = [First()]
            """,
        )
        process.wait_says("cannot reload folder")
        assert "OptionsError: no such thing" in process.output

        shutil.copy(addons.folder / "second.py", addons.folder / "unused.py")
        process.wait(lambda: process.output.count("cannot reload folder") == 2)
    assert process.events[-2:] == ["done second old", "done first old"]


def test_the_first_load_may_choose_where_to_listen(mitmdump, tmp_path):
    single(
        tmp_path / "where",
        """
        from mitmproxy import ctx

        class Where:
            def load(self, loader):
                ctx.options.update(listen_host="127.0.0.1")

        addons = [Where()]
        """,
    )

    with mitmdump("-s", "where") as process:
        process.wait_says("proxy listening at 127.0.0.1:")


def test_an_options_error_of_the_first_load_ends_the_program_with_its_message(mitmdump, tmp_path):
    single(
        tmp_path / "strict",
        """
        from mitmproxy import exceptions

        def configure(updated):
            raise exceptions.OptionsError("mitm.toml: proxy.port must be a number")
        """,
    )

    with mitmdump("-s", "strict") as process:
        output = ends(process, 1)

    assert output.splitlines()[-1].endswith("mitmdump: mitm.toml: proxy.port must be a number")
    assert "Traceback" not in output


@pytest.mark.parametrize("text", ["x = = 1", "import nothing_like_it", "def load(loader): 1 / 0"])
def test_a_first_load_that_fails_ends_the_program_and_says_where(mitmdump, tmp_path, text):
    folder = single(tmp_path / "broken", text)

    with mitmdump("-s", "broken/") as process:
        output = ends(process, 1)

    assert f"at {folder / 'only.py'}:1" in output


def test_a_path_that_does_not_exist_gives_mitmproxys_own_error(mitmdump):
    with mitmdump("-s", "nowhere/") as process:
        assert "No such script: nowhere/" in ends(process, 1)


def test_a_folder_without_addons_is_an_error(mitmdump, tmp_path):
    (tmp_path / "empty").mkdir()

    with mitmdump("-s", "empty") as process:
        assert f"No addons in folder {tmp_path / 'empty'}" in ends(process, 1)


def test_two_addons_of_one_name_are_an_error(mitmdump, tmp_path):
    folder = single(tmp_path / "twins", "class Twin: pass\naddons = [Twin(), Twin()]")

    with mitmdump("-s", str(folder)) as process:
        assert "Two addons are called 'twin'" in ends(process, 1)


def test_without_an_order_files_load_by_name_and_hidden_ones_do_not(mitmdump, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in ("b", "a", "_hidden"):
        (folder / f"{name}.py").write_text(f"import logging\nlogging.warning('this is {name}')")

    with mitmdump("-s", "plain") as process:
        process.wait_says("proxy listening")
        assert "this is _hidden" not in process.output
        assert process.output.index("this is a") < process.output.index("this is b")


def test_files_and_folders_mix(mitmdump, tmp_path, addons):
    (tmp_path / "file.py").write_text("import logging\ndef running(): logging.warning('file runs')")

    with mitmdump("-s", "file.py", "-s", f"{addons.folder}//") as process:
        process.wait_events(*RUNNING)
        process.wait_says("file runs")


def test_two_folders_of_one_name_keep_apart(mitmdump, tmp_path, addons):
    other = single(tmp_path / "other", "")
    (other / "addons").mkdir()
    (other / "addons" / "only.py").write_text("import logging\nlogging.warning(f'I am {__name__}')")

    with mitmdump("-s", "addons/", "-s", "other/addons") as process:
        process.wait_events(*RUNNING)
        process.wait_says("I am _mitmproxy_folder_")


@pytest.mark.parametrize("name", ["my-addons", "json", "mitmproxy"])
def test_a_folder_with_a_name_that_cannot_be_imported_loads(mitmdump, tmp_path, name):
    folder = single(
        tmp_path / name, "import logging\nfrom . import _word\nlogging.warning(_word.W)"
    )
    (folder / "_word.py").write_text("W = 'a private name will do'")

    with mitmdump("-s", f"{name}/") as process:
        process.wait_says("a private name will do")
        process.wait_says("proxy listening")


def test_absolute_imports_find_the_folder_and_not_an_installed_package(mitmdump, addons, installed):
    site = next((installed.path / "lib").glob("python3*/site-packages"))
    assert (site / "addons" / "__init__.py").exists()

    with mitmdump("-s", "addons/") as process:
        process.wait_events(*RUNNING)


def test_the_list_of_options_has_those_of_the_folder(mitmdump, tmp_path):
    single(
        tmp_path / "extra",
        "def load(loader): loader.add_option('my_option', str, 'mine', 'An option.')",
    )

    with mitmdump("-s", "extra", "--options") as process:
        assert "my_option: mine" in ends(process, 0)


def test_a_deferred_option_on_the_command_line_reaches_the_folder(mitmdump, tmp_path):
    single(
        tmp_path / "extra",
        """
        import logging
        from mitmproxy import ctx

        def load(loader):
            loader.add_option('my_option', str, 'mine', 'An option.')

        def running():
            logging.warning(f'it is {ctx.options.my_option}')
        """,
    )

    with mitmdump("--set", "my_option=yours", "-s", "extra") as process:
        process.wait_says("it is yours")


def test_a_running_mitmproxy_takes_a_folder_in_and_lets_it_go(mitmdump, tmp_path, addons):
    (tmp_path / "switch.py").write_text(
        textwrap.dedent(
            """
            import asyncio
            from mitmproxy import ctx

            class Switch:
                async def running(self):
                    self.task = asyncio.get_running_loop().create_task(self.switch())

                async def switch(self):
                    own = list(ctx.options.scripts)
                    ctx.options.update(scripts=[*own, "addons/"])
                    await asyncio.sleep(0.5)
                    ctx.options.update(scripts=own)

            addons = [Switch()]
            """
        )
    )

    with mitmdump("-s", "switch.py") as process:
        process.wait_events(
            "load second old",
            "load first old",
            *RUNNING,
            "done second old",
            "done first old",
        )


def test_script_run_still_runs_a_file(mitmdump, tmp_path):
    (tmp_path / "file.py").write_text("import logging\ndef running(): logging.warning('file ran')")
    single(
        tmp_path / "caller",
        "from mitmproxy import ctx\ndef running(): ctx.master.commands.call('script.run', [], 'file.py')",
    )

    with mitmdump("-s", "caller") as process:
        process.wait_says("file ran")


def test_a_home_relative_path_is_found(mitmdump, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Addons(tmp_path / "mine" / "addons")

    with mitmdump("-s", "~/mine/addons/") as process:
        process.wait_events(*RUNNING)
