"""The recipes of README.md: env files, the call that tries each, and the lines that it prints."""
import os
import pathlib
import re

TOP = pathlib.Path(os.environ.get("SCOREBOX_TOP", pathlib.Path(__file__).resolve().parents[2]))


class Recipe:
    def __init__(self, heading, env, console):
        self.heading = heading
        self.path = re.match(r"# (/etc/scorebox/\S+\.env)\n", env).group(1)
        self.settings = dict(re.findall(r"^(SCOREBOX_\w+)=(.*)$", env, re.M))
        self.env = env
        call, *self.lines = console.splitlines()
        self.call = call.removeprefix("$ ").split()

    @property
    def name(self):
        return pathlib.Path(self.path).stem

    def names(self):
        """What the printed lines are about, as far as they are shown."""
        return [line.split()[1] for line in self.lines if line.split()[0] in ("ok", "warn")]

    def secrets(self):
        """The files that it names, as places below /etc/scorebox."""
        return sorted(set(re.findall(r"=(/etc/scorebox/\S+)$", self.env, re.M)))


def recipes():
    text = (TOP / "README.md").read_text()
    section = text[text.index("\n## Recipes\n"):]
    section = section[:section.index("\n## ", 5)]
    found = []
    for part in section.split("\n### ")[1:]:
        (env,) = re.findall(r"```ini\n(.*?)```", part, re.S)
        (console,) = re.findall(r"```console\n(.*?)```", part, re.S)
        found.append(Recipe(part.splitlines()[0], env, console))
    return found
