"""Where package managers keep what they downloaded: outside the worktree, shared by all of them.

A confined command may write there, and only one set-up at a time does. Source: the tools' own manuals.
"""

import posixpath
from collections.abc import Mapping

_COMMON = (("XDG_CACHE_HOME", ".cache"),)
"""Also where install scripts put browsers, compilers and headers."""
_CACHES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "uv": (("UV_CACHE_DIR", ".cache/uv"), ("UV_PYTHON_INSTALL_DIR", ".local/share/uv")),
    "poetry": (("POETRY_CACHE_DIR", ".cache/pypoetry"),),
    "python3": (("PIP_CACHE_DIR", ".cache/pip"),),
    "pip": (("PIP_CACHE_DIR", ".cache/pip"),),
    "pnpm": (("PNPM_HOME", ".local/share/pnpm"), ("", ".local/state/pnpm")),
    "yarn": (("YARN_CACHE_FOLDER", ".cache/yarn"), ("YARN_GLOBAL_FOLDER", ".yarn")),
    "npm": (("npm_config_cache", ".npm"),),
    "go": (("GOMODCACHE", "go/pkg/mod"), ("GOCACHE", ".cache/go-build")),
    "cargo": (("CARGO_HOME", ".cargo"),),
}
"""For each tool: the variable that says where, and the default below the home directory."""


def caches(tool: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The absolute paths of a tool's caches, whether they exist or not. Pure."""
    home = env.get("HOME", "")
    named = [env.get(variable) or _default(home, below) for variable, below in (*_COMMON, *_CACHES.get(tool, ()))]
    if tool == "go":
        # What verifies downloads is kept beside them.
        named.append(posixpath.join(env.get("GOPATH", "").partition(":")[0] or _default(home, "go"), "pkg"))
    return tuple(dict.fromkeys(path for path in named if posixpath.isabs(path)))


def _default(home: str, below: str) -> str:
    return posixpath.join(home, below) if home else ""
