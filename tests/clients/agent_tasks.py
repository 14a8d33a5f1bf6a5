"""The task of a coding agent, as its model plays it: read a file, change it, run a command.

Each agent names and shapes its tools in its own way, so each has a sequence: the tools to call, one
a turn, with their arguments. In these, ``{directory}`` stands for the directory that the prompt
names, and ``{word}`` for the file's second word, which the model knows from a result only.
"""

from __future__ import annotations

import json
import re
from typing import Any

FILE = "notes.txt"
SIZE = "size.txt"
PROMPT = "In the directory {directory}, change the second word of notes.txt, and count its bytes."
PATH = f"{{directory}}/{FILE}"
COUNT = f"cd {{directory}} && wc -c {FILE} > {SIZE}"
PATCH = (
    f"*** Begin Patch\n*** Update File: {PATH}\n@@\n-alpha {{word}}\n+alpha new-{{word}}\n"
    "*** End Patch\n"
)
SEQUENCES: list[list[tuple[str, Any]]] = [
    [  # Claude Code
        ("Read", {"file_path": PATH}),
        ("Edit", {"file_path": PATH, "old_string": "{word}", "new_string": "new-{word}"}),
        ("Bash", {"command": COUNT, "description": "Count the bytes"}),
    ],
    [  # Codex, with a model that it knows
        ("exec_command", {"cmd": f"cat {PATH}"}),
        ("apply_patch", {"input": PATCH}),
        ("exec_command", {"cmd": COUNT}),
    ],
    [  # Codex, with any other
        ("exec_command", {"cmd": f"cat {PATH}"}),
        ("exec_command", {"cmd": f"sed -i s/{{word}}/new-{{word}}/ {PATH}"}),
        ("exec_command", {"cmd": COUNT}),
    ],
    [  # Gemini CLI
        ("read_file", {"file_path": PATH}),
        (
            "replace",
            {
                "file_path": PATH,
                "instruction": "Change the second word.",
                "old_string": "{word}",
                "new_string": "new-{word}",
            },
        ),
        ("run_shell_command", {"command": COUNT}),
    ],
    [  # opencode
        ("read", {"filePath": PATH}),
        ("edit", {"filePath": PATH, "oldString": "{word}", "newString": "new-{word}"}),
        ("bash", {"command": COUNT, "description": "Count the bytes"}),
    ],
    [  # opencode, with OpenAI's models
        ("read", {"filePath": PATH}),
        ("apply_patch", {"patchText": PATCH}),
        ("bash", {"command": COUNT, "description": "Count the bytes"}),
    ],
    [  # Cline
        ("read_files", {"files": [{"path": PATH}]}),
        ("editor", {"path": PATH, "old_text": "{word}", "new_text": "new-{word}"}),
        ("run_commands", {"commands": [COUNT]}),
    ],
]


def fill_in(arguments: Any, asked: list[str], results: list[str]) -> Any:
    """The arguments, with what the prompt and the results say."""
    directory = re.search(r"In the directory (/[^\s,]+)", "\n".join(asked))
    word = re.search(r"alpha (\w+)", "\n".join(results))
    text = json.dumps(arguments)
    for name, found in (("{directory}", directory), ("{word}", word)):
        text = text.replace(name, found[1] if found else "unknown")
    return json.loads(text)
