import subprocess

from emotag.provenance import Run, commit, describe


def git(folder, *arguments):
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)


def test_commit_says_when_files_were_changed_since(tmp_path):
    assert commit(tmp_path) == "unknown"
    git(tmp_path, "init")
    code, other = tmp_path / "code", tmp_path / "other"
    for folder in (code, other):
        folder.mkdir()
        (folder / "a.py").write_text("A = 1\n")
    git(tmp_path, "add", "code")
    git(tmp_path, "commit", "-m", "first")
    name = commit(code)
    assert len(name) >= 7 and set(name) <= set("0123456789abcdef")
    (code / "new.txt").touch()
    assert commit(code) == name and commit(other) == "unknown"
    (code / "a.py").write_text("A = 2\n")
    assert commit(code) == f"{name}, dirty"


def test_nothing_that_differs_between_two_runs_is_in_an_artifact():
    assert set(describe(Run())) == {"package", "version"}
