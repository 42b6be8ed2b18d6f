"""Commands whose modules are imported only when they are run, or when their own help is asked.

Help texts are written in French in the code and translated here, once a command is loaded.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer import _click
from typer._click.formatting import HelpFormatter
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

from portee.interrupt import INTERRUPTED, say_interrupted
from portee.language import (
    LANGUAGES,
    SOURCE,
    VARIABLE,
    _,
    foreign,
    language,
    requested_language,
    use_language,
)

MISUSED: Final = 2


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is: a module, and in it a function or a group (`typer.Typer`).

    `help` is the French help of the command, whole: shown in the list of commands without importing it.
    """

    module: str
    attribute: str
    help: str

    def load(self, name: str) -> _click.Command:
        """Import the module and return the command, in the language of the run."""
        found = getattr(import_module(self.module), self.attribute)
        if isinstance(found, typer.Typer):
            command: _click.Command = get_group(found)
            command.name = name
        else:
            command = get_command_from_info(
                CommandInfo(name=name, callback=found), pretty_exceptions_short=False, rich_markup_mode=None
            )
        command.help = self.help
        translate(command)
        return command


class LazyCommands(MutableMapping[str, _click.Command]):
    """Commands by name, each loaded when it is first asked for."""

    def __init__(self, commands: dict[str, LazyCommand]) -> None:
        self.lazy = commands
        self._loaded: dict[tuple[str, str], _click.Command] = {}

    def __getitem__(self, name: str) -> _click.Command:
        key = (name, language())
        if key not in self._loaded:
            self._loaded[key] = self.lazy[name].load(name)
        return self._loaded[key]

    def __setitem__(self, name: str, command: _click.Command) -> None:
        self._loaded[name, language()] = command

    def __delitem__(self, name: str) -> None:
        del self.lazy[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lazy)

    def __len__(self) -> int:
        return len(self.lazy)


class Formatter(HelpFormatter):
    """Help in the language of the run."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        super().write_usage(prog, args, prefix or _("Usage : "))

    def write_heading(self, heading: str) -> None:
        """Write a heading: Options, Arguments, Commands."""
        self.write(_("%(heading)s :\n", heading=_typer_text(heading)).rjust(self.current_indent))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write options or commands with their help; types and remarks in brackets are translated too."""
        translated = [(_types(first), _remarks(second)) for first, second in rows]
        super().write_dl(translated, col_max, col_spacing)


class Context(typer.Context):
    """Context whose help is in the language of the run."""

    formatter_class = Formatter


def translate(command: _click.Command) -> None:
    """Put the help of a command, its options and its subcommands into the language of the run."""
    command.context_class = Context
    command.rich_markup_mode = None  # type: ignore[attr-defined] # Typer commands have it
    command.options_metavar = "[OPTIONS]"
    command.help = _paragraphs(command.help)
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        if text:
            vars(parameter)["help"] = _paragraphs(text)
        if parameter.metavar:
            parameter.metavar = _(parameter.metavar)
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = _("COMMANDE [ARGUMENTS]...")
        for each in command.commands.values():
            translate(each)


class PorteeGroup(TyperGroup):
    """The top of the command line: lazy commands, one language, its own way to end."""

    context_class = Context
    lazy_commands: dict[str, LazyCommand]

    def __init__(self, **attributes: Any) -> None:
        attributes["commands"] = None
        super().__init__(**attributes)
        self.commands = LazyCommands(self.lazy_commands)
        self._texts = {id(each): vars(each)["help"] for each in self.params if getattr(each, "help", None)}
        self._help = self.help

    def list_commands(self, ctx: _click.Context) -> list[str]:
        """Return the names of commands; imports none."""
        return list(self.lazy_commands)

    def format_commands(self, ctx: _click.Context, formatter: HelpFormatter) -> None:
        """Write each command with the first sentence of its help; imports none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _short(_(lazy.help))) for name, lazy in self.lazy_commands.items()])

    def shell_complete(self, ctx: _click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command; imports none."""
        return [
            CompletionItem(name, help=_short(_(lazy.help)))
            for name, lazy in self.lazy_commands.items()
            if name.startswith(incomplete)
        ] + (_click.Command.shell_complete(self, ctx, incomplete) if incomplete.startswith("-") else [])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Choose the language, run the command, and exit with its code."""
        arguments = list(sys.argv[1:] if args is None else args)
        self._choose_language(arguments)

        def run() -> Any:
            return super(PorteeGroup, self).main(
                arguments, prog_name, complete_var, False, windows_expand_args, **extra
            )

        return end_of(run) if standalone_mode else run()

    def _choose_language(self, arguments: Sequence[str]) -> None:
        chosen = requested_language(arguments, os.environ.get(VARIABLE))
        use_language(chosen if chosen in LANGUAGES else SOURCE)
        self.help = _paragraphs(self._help)
        self.subcommand_metavar = _("COMMANDE [ARGUMENTS]...")
        for each in self.params:
            if id(each) in self._texts:
                vars(each)["help"] = _(self._texts[id(each)])


def end_of(run: Callable[[], Any]) -> None:
    """Run a command and exit: what Typer would say in English is said in the language of the run."""
    try:
        code = run()
    except _click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except _click.exceptions.ClickException as problem:
        typer.echo(usage_error_text(problem), err=True)
        sys.exit(problem.exit_code)
    except typer.Abort:
        typer.echo(_("Abandonné."), err=True)
        sys.exit(1)
    if code == INTERRUPTED:
        say_interrupted(language())
    sys.exit(code if isinstance(code, int) else 0)


def usage_error_text(problem: _click.exceptions.ClickException) -> str:
    """Return what is wrong with a command line, after its usage and where to find help."""
    lines = []
    context = getattr(problem, "ctx", None)
    if context is not None:
        help_command = f"{context.command_path} {context.help_option_names[0]}"
        lines = [context.get_usage(), _("Aide : %(command)s", command=help_command), ""]
    lines.append(_("Erreur : %(problem)s", problem=_problem(problem)))
    return "\n".join(lines)


def _problem(problem: _click.exceptions.ClickException) -> str:
    """Return the message of an error; a value is named with its option, what is wrong with it translated."""
    if isinstance(problem, _click.exceptions.BadParameter) and problem.message:
        whole = problem.format_message()
        return foreign(whole.removesuffix(problem.message)) + foreign(problem.message)
    return foreign(problem.format_message())


def _paragraphs(text: str | None) -> str | None:
    return _(inspect.cleandoc(text)) if text else text


def _short(text: str) -> str:
    """Return the beginning of a help text, to the end of its first sentence or clause."""
    return re.split(r"(?<=[.:;]) |\n", text, maxsplit=1)[0].rstrip(" .:;")


_TYPER_FR: Final = {"Commands": "Commandes", "Show this message and exit.": "Affiche cette aide."}
"""What Typer writes in every help; `foreign` would load a catalogue for it."""

_TYPES_FR: Final = {
    "str": "texte",
    "int": "entier",
    "int range": "entier",
    "float": "nombre",
    "float range": "nombre",
    "path": "chemin",
    "file": "fichier",
    "dir": "dossier",
    "%Y-%m-%d": "AAAA-MM-JJ",
    "list[str]": "texte",
    "list[path]": "chemin",
    "list[Path]": "chemin",
    "Path": "chemin",
}
_REMARKS_FR: Final = {"default: ": "par défaut : ", "env var: ": "variable : ", "required": "obligatoire"}


def _typer_text(text: str) -> str:
    return _TYPER_FR.get(text, text) if language() == SOURCE else text


def _types(text: str) -> str:
    """Return an option's name and type with the type in the language of the run."""
    if language() != SOURCE:
        return text.replace("<%Y-%m-%d>", "<YYYY-MM-DD>")
    return re.sub(r"<([^>|]+)>", lambda found: f"<{_TYPES_FR.get(found[1], found[1])}>", text)


def _remarks(text: str) -> str:
    """Return help with the remarks in its last brackets (default, range, required) translated."""
    text = _typer_text(text)
    found = re.search(r"\[[^\[\]]*\]$", text)
    if language() != SOURCE or not found:
        return text
    remarks = found[0]
    for english, french in _REMARKS_FR.items():
        remarks = re.sub(rf"(?<=[\[ ]){re.escape(english)}", french, remarks)
    return text[: found.start()] + remarks
