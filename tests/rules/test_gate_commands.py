import pytest

from milepost.rules.gate_commands import parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pytest -q", [["pytest", "-q"]]),
        ("lint && test", [["lint"], ["test"]]),
        ("lint&&test", [["lint"], ["test"]]),
        ("grep 'a && b' f", [["grep", "a && b", "f"]]),
        ('grep "a; b | c" f', [["grep", "a; b | c", "f"]]),
        ("python -c \"print('x')\"", [["python", "-c", "print('x')"]]),
        (r'grep "a\"b\\c\d" f', [["grep", r'a"b\c\d', "f"]]),
        (r"ls a\ b", [["ls", "a b"]]),
        ("printf a'b'\"c\"d", [["printf", "abcd"]]),
        ("npm test 2>&1", [["npm", "test"]]),
        ("npm test 2>&1 | tail -20 && ruff .", [["npm", "test"], ["ruff", "."]]),
        ("npm test | head -n 5", [["npm", "test"]]),
        ('pytest --rootdir "$PWD/x" $PWD', [["pytest", "--rootdir", "/w/x", "/w"]]),
        ("go test ./...", [["go", "test", "./..."]]),
        ('grep "end$" f', [["grep", "end$", "f"]]),
        ("test '' = ''", [["test", "", "=", ""]]),
        ("  ", []),
        (" && ", []),
        ("", []),
        ("a && ", [["a"]]),
    ],
)
def test_words(text: str, expected: list[list[str]]) -> None:
    found = parts(text, worktree="/w")
    assert [[word.text for word in part.words] for part in found] == expected
    assert not any(part.problem for part in found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("test; rm x", "needs a shell (;)"),
        ("a | b", "needs a shell (|)"),
        ("npm test | grep ok", "needs a shell (|)"),
        ("npm test | tail -5 | grep ok", "needs a shell (|)"),
        ("a || b", "needs a shell (||)"),
        ("a > out.txt", "needs a shell (>)"),
        ("a 2>/dev/null", "needs a shell (>)"),
        ("a < in.txt", "needs a shell (<)"),
        ("a &", "needs a shell (&)"),
        ("(a)", "needs a shell (()"),
        ("echo $(rm -rf x)", "needs a shell ($()"),
        ('echo "$(rm -rf x)"', "needs a shell ($()"),
        ("echo `rm x`", "needs a shell (`)"),
        ('echo "`rm x`"', "needs a shell (`)"),
        ("echo $HOME", "needs a shell ($HOME)"),
        ('echo "${X:-1}"', "needs a shell (${X:-1})"),
        ("echo $?", "needs a shell ($?)"),
        ("ls ~/x", "needs a shell (~)"),
        ("ls {a,b}", "needs a shell ({a,b})"),
        ("it's wrong", "has an unbalanced quote (')"),
        ('echo "open', 'has an unbalanced quote (")'),
        ("pytest ...", "has a placeholder (...)"),
        ('node -e "import {...} from"', "has a placeholder ({...})"),
    ],
)
def test_what_needs_a_shell(text: str, problem: str) -> None:
    (found,) = parts(text)
    assert found.problem == problem
    assert found.text == text


def test_a_part_that_cannot_be_run_does_not_take_the_others_with_it() -> None:
    found = parts("lint && test; rm x && ruff .")
    assert [(part.text, bool(part.problem)) for part in found] == [
        ("lint", False),
        ("test; rm x", True),
        ("ruff .", False),
    ]


def test_patterns_and_quotes_are_marked() -> None:
    (found,) = parts("grep '*' src/*.ts")
    assert [(word.text, word.quoted, word.pattern) for word in found.words] == [
        ("grep", False, False),
        ("*", True, False),
        ("src/*.ts", False, True),
    ]
