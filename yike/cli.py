"""The command line: thin commands, one a verb."""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import yike
from yike.teller import Teller

if TYPE_CHECKING:
    from geo.problems import Problem
    from outputs.messages import Messages
    from yike.run import Run

SHOWN_PER_CODE = 5


def main() -> None:
    """Run the command line; 0 fine, 1 stop, 2 wrong use."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console may be in GBK
    cli()


@click.group()
@click.version_option(yike.__version__, prog_name="yike")
@click.option("--language", type=click.Choice(["zh", "en"]), default=None, help="zh | en")
@click.pass_context
def cli(context: click.Context, language: str | None) -> None:
    """一刻: 谁缺什么、差几分钟、为什么。 Who lacks what within a quarter of an hour, how far off, and why."""
    context.obj = language


def _words(context: click.Context, own: str = "zh") -> Messages:
    from outputs.messages import load

    return load(context.obj or own)


def _guarded(context: click.Context, work: Callable[[], Any], language: str = "zh") -> Any:
    """Run a piece of work; a stop is told in sentences and ends with 1, an inner fault leaves a report file."""
    from geo.problems import Stop
    from yike.pipeline import LawBroken
    from yike.run import FolderTaken

    words = _words(context, language)
    try:
        return work()
    except Stop as stop:
        click.echo(words.say("cli.stopped"), err=True)
        for problem in stop.problems:
            # faults of rows stand beside a stop because they may be behind it
            said = f"[{words.say(f'severity.{problem.severity}')}] {words.sentence(problem)}"
            click.echo("  " + (words.sentence(problem) if problem.severity == "stop" else said), err=True)
    except LawBroken as broken:
        for row in broken.broken.itertuples():
            name = words.words["law"].get(row.law, row.law)
            click.echo(words.say("cli.no_laws", law=name, n=row.checked_n, worst=row.worst), err=True)
    except FolderTaken as taken:
        click.echo(words.say("cli.out_taken", path=taken), err=True)
    except BrokenPipeError:  # who reads has read enough
        sys.stderr.close()
    except Exception as error:
        with tempfile.NamedTemporaryFile(
            "w", suffix=".txt", prefix="yike-", delete=False, encoding="utf-8"
        ) as file:
            file.write(traceback.format_exc())
        click.echo(words.say("cli.internal", error=type(error).__name__, path=file.name), err=True)
    raise SystemExit(1)


class _Printer(Teller):
    """Prints one line a stage; on a terminal also what a long stage is at."""

    def __init__(self, words: Messages, stages: Sequence[str]) -> None:
        self._words = words
        self._of = len(stages)
        self._n = 0
        self._live = sys.stderr.isatty()

    def begin(self, stage: str) -> None:
        self._n += 1
        said = self._words.say("cli.step", n=self._n, of=self._of, stage=self._name(stage))
        click.echo(said, err=True)

    def kept(self, stage: str) -> None:
        self._n += 1
        click.echo(self._words.say("cli.kept", n=self._n, of=self._of, stage=self._name(stage)), err=True)

    def _name(self, stage: str) -> str:
        if stage.startswith("form_"):
            return self._words.say("stage.form", layer=self._words.say(f"layer.{stage.removeprefix('form_')}"))
        if stage.startswith("care_"):
            return self._words.say("stage.care_of", level=self._words.say(f"level.{stage.removeprefix('care_')}"))
        return self._words.say(f"stage.{stage}")

    def part(self, text: str, number: int, of: int) -> None:
        if self._live:
            said = self._words.say("cli.asking", n=number, of=of, category=text)
            click.echo(f"\r  {said:<60}", err=True, nl=False)

    def end(self, stage: str, seconds: float) -> None:
        if self._live:
            click.echo("\r" + " " * 70 + "\r", err=True, nl=False)
        if seconds >= 1:
            said = self._words.say("cli.step_done", stage=self._name(stage), seconds=f"{seconds:.1f}")
            click.echo("  " + said, err=True)


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("yike-demo"))
@click.pass_context
def demo(context: click.Context, folder: Path) -> None:
    """写出样例县并全部算一遍。 Write the sample county and run all of it."""

    def work() -> None:
        from layers.sample import PROJECT, PROJECT_TEXT, write_county
        from yike.proof import planted_against_found

        words = _words(context)
        start = time.perf_counter()
        truth = write_county(folder)
        n = {name: f"{count:,}" for name, count in truth.numbers.items()}
        click.echo(words.say("cli.demo_written", path=folder, seconds=f"{time.perf_counter() - start:.1f}", **n))
        done = _run(context, folder / PROJECT, None)
        if (folder / PROJECT).read_text("utf-8") != PROJECT_TEXT:
            return  # somebody's own standards: what was planted is then another question
        table = planted_against_found(truth, done)
        click.echo(words.say("cli.proof"))
        for kind, rows in table.groupby("kind", sort=False):
            counts = {name: int(rows[name].sum()) for name in ("planted_n", "found_n", "missed_n", "invented_n")}
            click.echo(words.say("cli.proof_line", kind=words.say(f"proof.{kind}"), **counts))

    _guarded(context, work)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_context
def init(context: click.Context, folder: Path) -> None:
    """看一遍文件夹，写出项目文件。 Look through a folder and write a project file with guesses."""
    from yike.recognise import PROJECT_FILE, propose

    words = _words(context)
    target = folder / PROJECT_FILE
    if target.exists():
        click.echo(words.say("cli.init_exists", path=target), err=True)
        raise SystemExit(1)
    text = _guarded(context, lambda: propose(folder, words))
    target.write_text(text, "utf-8")
    click.echo(words.say("cli.init_written", path=target))


@cli.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, project: Path) -> None:
    """读全部文件，一次说出所有问题，不改动任何东西。 Read everything and say every fault and doubt at once."""

    def work() -> None:
        from yike.run import OpenProject

        opened = OpenProject.load(project, language=context.obj)
        words = _words(context, opened.project.language)
        teller = _Printer(words, opened.stage_names(reading_only=True))
        inputs = _guarded(context, lambda: opened.read(teller), opened.project.language)
        _say_problems(words, inputs.problems)
        click.echo(
            words.say("cli.check_fine", places=len(inputs.places), facilities=len(inputs.facilities),
                      problems=len(inputs.problems))
        )  # fmt: skip

    _guarded(context, work)


@cli.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="运行文件夹 run folder")
@click.option(
    "--only", default="", help="只做这些步骤及其所需，逗号分隔 only these stages and what they need: access,map"
)
@click.option("--scenario", type=click.Path(path_type=Path), default=None, help="情景文件 edits to try (TOML)")
@click.option("--full", is_flag=True, help="情景也出区间、地图和工作簿 ranges, map and workbook of a scenario too")
@click.option("--verify", is_flag=True, help="抽 50 处换条件重算，核对规则 measure 50 places again, changed")
@click.pass_context
def run(
    context: click.Context, project: Path, out: Path | None, only: str, scenario: Path | None, full: bool,
    verify: bool,
) -> None:  # fmt: skip
    """计算并写出表、工作簿和地图；接着上次停下的地方做。 Measure, and write tables, workbook and map."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    _guarded(context, lambda: _run(context, project, out, names, verified=verify, scenario=scenario, full=full))


def _run(
    context: click.Context, project: Path, out: Path | None, only: Sequence[str] = (), *, verified: bool = False,
    scenario: Path | None = None, full: bool = False,
) -> Run:  # fmt: skip
    from yike.run import OpenProject

    start = time.perf_counter()
    opened = OpenProject.load(project, language=context.obj, scenario=scenario)
    language = opened.project.language
    words = _words(context, language)
    teller = _Printer(words, opened.stage_names(only=only, verified=verified))
    work = partial(opened.run, out, only=only, verified=verified, full=full, teller=teller)
    done: Run = _guarded(context, work, language)
    problems = done.table("problems")["severity"].value_counts()
    seconds = f"{time.perf_counter() - start:.1f}"
    n = {kind: int(problems.get(kind, 0)) for kind in ("fault", "doubt")}
    book = done.folder / "workbook.xlsx"
    where = words.say("cli.where_book") if book.exists() else str(done.folder / "tables" / "problems.parquet")
    click.echo(words.say("cli.run_done", seconds=seconds, faults=n["fault"], doubts=n["doubt"], where=where))
    if (done.folder / "tables" / "ways_moved.parquet").exists():
        from layers.ledgers import some

        moved = done.table("ways_moved")
        ids = some(list(moved["homestead_id"])) if len(moved) else "—"
        click.echo(words.say("cli.ways_moved", n=len(moved), ids=ids))
    for said, path in (("cli.workbook_at", book), ("cli.map_at", done.map())):
        if path.exists():
            click.echo(words.say(said, path=path))
    return done


@cli.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--place", help="编号或名称 id or name")
@click.option("--category", help="类别编号或名称 id or name of the category")
@click.option("--plot", help="宅基地或旧房编号 id of an old homestead or house")
@click.pass_context
def explain(
    context: click.Context, project: Path, place: str | None, category: str | None, plot: str | None
) -> None:
    """说明一个数的来历：路线、坡度、还有谁可去；宅基地的理由。 Say why: the way, who is next; what a plot is."""
    if (plot is None) == (place is None and category is None) or (place is None) != (category is None):
        raise click.UsageError(
            "请给 --place 和 --category，或只给 --plot。 --place and --category, or --plot alone."
        )

    def work() -> None:
        from outputs import land
        from outputs.explained import told
        from yike.run import OpenProject

        opened = OpenProject.load(project, language=context.obj)
        language = opened.project.language
        words = _words(context, language)
        if plot is not None:
            row, gates = _guarded(context, lambda: opened.explain_plot(plot), language)
            for text in land.told(row, gates, opened.project.catalog(), words):
                click.echo(text)
            return
        found, name = _guarded(context, lambda: opened.explain(str(place), str(category)), language)
        for text in told(found, name, opened.project.catalog(), words):
            click.echo(text)

    _guarded(context, work)


@cli.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--category", required=True, help="类别编号或名称 id or name of the category")
@click.option(
    "--new",
    "new",
    type=click.IntRange(0),
    default=1,
    help="至多新建几处（all 与 backup 不限） at most so many new sites (all, backup: as it takes)",
)
@click.option(
    "--goal", type=click.Choice(["cover", "all", "backup", "median", "center"]), default="cover",
    help="覆盖最多、全部覆盖、双重覆盖、总用时最短、最远者最近 what is sought",
)  # fmt: skip
@click.option("--grow", is_flag=True, help="学校也可增班增床 schools that are there may grow too")
@click.option("--time-limit", type=click.FloatRange(1), default=60.0, help="每步求解时限（秒） seconds a step")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="结果文件夹 folder")
@click.pass_context
def site(
    context: click.Context, project: Path, category: str, new: int, goal: str, grow: bool, time_limit: float,
    out: Path | None,
) -> None:  # fmt: skip
    """在哪里建、加多少班和床最合算。 Where to build, or how many classes and beds to add."""

    def work() -> None:
        from outputs.remedied import told
        from yike.run import OpenProject
        from yike.sites import write_sites

        opened = OpenProject.load(project, language=context.obj)
        language = opened.project.language
        words = _words(context, language)
        find = partial(opened.site, category, new=new, goal=goal, growing=grow, time_limit_s=time_limit)
        found = _guarded(context, find, language)
        _say_problems(words, found.problems)
        catalog = opened.project.catalog()
        name = "-".join(["site", found.category, *([goal] * (goal != "cover")), str(new), *(["grow"] * grow)])
        folder = out or opened.project.file.with_name(f"{opened.project.file.stem}-{name}")
        for text in told(found.proposal, catalog, words, goal=goal):
            click.echo(text)
        write_sites(found, folder, catalog, words, title=name)
        click.echo(words.say("cli.site_written", path=folder))

    _guarded(context, work)


@cli.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="结果文件夹 folder")
@click.pass_context
def compare(context: click.Context, before: Path, after: Path, out: Path | None) -> None:
    """两次计算差在哪里：谁得谁失、几分钟、几个学位、每人多少钱。 What changed between two runs."""

    def work() -> None:
        from outputs.compared import told
        from yike.comparing import compare_runs, record, write_differences

        found = compare_runs(before, after)
        project = record(after)["project"]
        words = _words(context, project["language"])
        _say_problems(words, found.problems)
        for text in told(found.tables, words, cost=found.cost):
            click.echo(text)
        folder = out or after.with_name(f"{after.name}-compared")
        write_differences(found, folder, words)
        click.echo(words.say("cli.compare_written", path=folder))

    _guarded(context, work)


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="结果文件夹 folder")
@click.option(
    "--confidence", type=click.FloatRange(50, 99.9), default=95.0, help="抽查把握度（%） how sure, per cent"
)
@click.option("--margin", type=click.FloatRange(0.5, 50), default=5.0, help="误差（%） to how much, per cent")
@click.option("--seed", type=click.IntRange(0), default=1, help="随机种子 seed of the sample")
@click.option(
    "--key", type=click.Path(path_type=Path), default=None,
    help="户主姓名电话表，只印在核查表上 names and telephones, for the printed sheets only",
)  # fmt: skip
@click.pass_context
def field(
    context: click.Context, run: Path, out: Path | None, confidence: float, margin: float, seed: int,
    key: Path | None,
) -> None:  # fmt: skip
    """宅基地现场核查：清单、每村一页、KML、GPX、Shapefile。 Lists, sheets and layers for the field."""

    def work() -> None:
        from yike.fieldwork import prepare_field

        words = _words(context)
        folder = out or run.with_name(f"{run.name}-field")
        done = prepare_field(run, folder, confidence=confidence / 100, margin=margin / 100, seed=seed, key=key,
                             language=context.obj)  # fmt: skip
        sampled = int((done.table["why"] == words.words["field_why"]["sample"]).sum())
        click.echo(words.say("cli.field_done", doubtful=len(done.table) - sampled, sample=sampled, path=folder))
        if done.not_gbk_n:
            click.echo(words.say("cli.field_not_gbk", n=done.not_gbk_n))
        if done.no_shape_n:
            click.echo(words.say("cli.field_no_shape", n=done.no_shape_n))

    _guarded(context, work)


def _say_problems(words: Messages, problems: Sequence[Problem]) -> None:
    count: dict[tuple[str, str], int] = {}
    for problem in problems:
        key = (problem.code, problem.file)
        count[key] = count.get(key, 0) + 1
        if count[key] <= SHOWN_PER_CODE:
            click.echo(f"[{words.say(f'severity.{problem.severity}')}] {words.sentence(problem)}")
    for (_, file), n in count.items():
        if n > SHOWN_PER_CODE:
            click.echo(f"{file}: {words.say('cli.check_more', n=n - SHOWN_PER_CODE)}")


@cli.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """看这台机器缺什么。 Say what is missing on this machine."""
    from yike.doctor import examine

    words = _words(context)
    lines, fine = examine(words)
    for line in lines:
        click.echo(line)
    raise SystemExit(0 if fine else 1)
