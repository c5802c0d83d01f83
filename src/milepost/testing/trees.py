"""A `.gsd/` directory held in a dict, for tests of rules."""

from collections.abc import Mapping


class DictTree:
    """`Tree` over `{"milestones/M001/M001-ROADMAP.md": text}`; a path ending in `/` makes an empty directory."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {path: text.replace("\r\n", "\n") for path, text in files.items() if not path.endswith("/")}
        self._entries: dict[str, set[str]] = {"": set()}
        for path in files:
            parts = path.rstrip("/").split("/")
            for depth in range(len(parts)):
                self._entries.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
            if path.endswith("/"):
                self._entries.setdefault(path.rstrip("/"), set())

    def names(self, directory: str) -> tuple[str, ...]:
        """Entries of a directory, sorted."""
        return tuple(sorted(self._entries.get(directory.strip("/"), ())))

    def text(self, path: str) -> str | None:
        """A file's text, None when missing."""
        return self._files.get(path)

    def is_dir(self, path: str) -> bool:
        """Whether something lies below `path`."""
        return path in self._entries
