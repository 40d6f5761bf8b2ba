"""Tables as people save them: encodings, delimiters, labels as text, and every broken cell named by line and column."""

import numpy as np
import pytest

import steepest.data as data
from steepest.core.errors import SettingError


@pytest.fixture
def table(tmp_path):
    """Writes a table and gives its path."""

    def write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows(n=6, separator=",", cells=lambda i: (i, i % 2 + 0.5, "ab"[i % 2]), header=("x", "z", "label")):
    lines = [separator.join(header)] + [separator.join(map(str, cells(i))) for i in range(n)]
    return "\n".join(lines) + "\n"


def said(dataset, *words):
    return any(all(word in note for word in words) for note in dataset.notes)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_delimiters_and_encodings(table, separator, encoding):
    text = rows(8, separator, lambda i: (i * i, 1.5, "né" if i % 2 else "à"))
    found = data.open(table(text.encode(encoding)), label="label")
    assert found.X[:, 0].tolist() == [i * i for i in range(8)]
    assert found.classes == ("né", "à")
    assert said(found, "Latin-1") == (encoding == "latin-1")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_blank_lines_and_no_last_break(table, end):
    text = end.join(["x,label", "", "1,a", "2,b", "", "3,a"])
    assert data.open(table(text)).X[:, 0].tolist() == [1, 2, 3]


def test_decimal_comma(table):
    found = data.open(table("x;z;label\n1,5;-2;a\n,25;3;b\n-1;4,75;a\n"))
    assert found.X.tolist() == [[1.5, -2], [0.25, 3], [-1, 4.75]]


def test_quotes_hold_delimiters_breaks_and_quotes(table):
    wine, lines = '"red, ""wine"""', '"two\nlines"'
    found = data.open(table(f'"x","a ""name"", odd",label\n1,{wine},a\n"2",{lines},b\n3,{lines},a\n4,{wine},b\n'))
    assert found.X.shape == (4, 3)
    assert found.schema.columns[1].name == 'a "name", odd'
    assert found.schema.columns[1].categories == ('red, "wine"', "two\nlines")
    assert found.X[:, 1].tolist() == [1, 0, 0, 1]


def test_labels_are_text(table):
    found = data.open(table("x,label\n1,NA\n2,None\n3,007\n4,7\n5,nan\n6,NULL\n"))
    assert set(found.classes) == {"NA", "None", "007", "7", "nan", "NULL"}


def test_labels_that_spell_one_number_twice_are_refused(table, refusal):
    message = refusal(data.open, table("x,label\n1,1\n2,1.0\n3,2\n"))
    assert "mixes the labels '1' and '1.0'" in message


def test_class_order_is_numeric_where_all_are_numbers(table):
    assert data.open(table("x,label\n1,10\n2,9\n3,2\n4,10\n")).classes == ("2", "9", "10")


def test_label_column_by_usual_name_or_listed(table, refusal):
    assert said(data.open(table("Target,x\na,1\nb,2\n")), "'Target' taken as the label")
    message = refusal(data.open, table("height,weight,kind\n1,2,a\n2,3,b\n"))
    assert "--label: height, weight, kind" in message
    message = refusal(data.open, table("height,weight,kind\n1,2,a\n2,3,b\n"), label="knd")
    assert "did you mean 'kind'" in message
    many = ",".join(f"c{k}" for k in range(12))
    message = refusal(data.open, table(f"{many},kind\n{'1,' * 12}a\n{'2,' * 12}b\n"))
    assert "--label: c0, c1, c2, c3, c4, c5 … c9, c10, c11, kind (3 more between)" in message
    assert "the first line looks like data" in refusal(
        data.open, table("5.1,3.5,setosa\n4.9,3,setosa\n"), label="species"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,z,label\n1,2,a\n3,b\n4,5,a\n", ["line 3 has 2 cells, the header 3"]),
        ("x,z,label\n1,2,a\n3,4,5,b\n4,5,a\n6,b\n", ["line 3 has 4 cells", "1 more line"]),
        ('x,z,label\n1,"2\n3",a\n3,4,5,b\n', ["line 4 has 4 cells"]),
        ("x,label\n1,a\ninf,b\n", ["column 'x', line 3", "infinite"]),
        ("x,label\n1,a\n-1e999,b\n", ["column 'x', line 3", "infinite"]),
        ("x,label\n1,a\n,b\n3,a\n", ["column 'x', line 3", "1 empty cell", "--missing mean"]),
        ("x,label\n1,a\nNaN,b\n3,a\n", ["column 'x', line 3", "1 empty cell"]),
        ("x,label\n1,a\n2,\n3,b\n", ["column 'label', line 3", "no label"]),
        ("x,label\n9007199254740993,a\n2,b\n", ["column 'x', line 2", "9007199254740993", "2**53"]),
        ("x,label\n1e39,a\n2,b\n", ["column 'x', line 2", "float32"]),
        ("x,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30)) + "oops,a\n",
         ["line 32", "'oops' among numbers"]),
        ("when,label\n2024-01-31,a\n2024-02-01,b\n", ["column 'when' holds dates", "--drop when"]),
        ("when,label\n31.01.2024 10:00,a\n01.02.2024 11:30,b\n", ["column 'when' holds dates"]),
        ("when,label\n10:30,a\n11:45,b\n", ["column 'when' holds dates or times"]),
        ("date,label\n20240131,a\n20240201,b\n", ["dates written as digits"]),
        ("id,x,label\n" + "".join(f"id{i},{i},{'ab'[i % 2]}\n" for i in range(9)), ["column 'id'", "--drop id"]),
        ("x,none,label\n1,,a\n2,,b\n", ["column 'none' is empty"]),
        ("x,x,label\n1,2,a\n", ["'x' is there more than once"]),
        ("label\na\nb\n", ["no column is left"]),
        ("x,label\n", ["holds no rows"]),
        ("", ["empty file"]),
        ("\n\n", ["empty file"]),
        ("x,label\n1,a\n2,a\n", ["one class, 'a'"]),
        ('x,label\n1,"a\n2,b\n', ["quote", "never closed"]),
        ('x,label\n5" pipe,a\n6" pipe,b\n', ["double a quote inside a cell"]),
        (b"x,label\n1,\0a\n", ["binary"]),
        (bytes(range(256)) * 9, ["binary"]),
        ("x,label\n" + "".join(f"{i},{i * 1.7}\n" for i in range(40)), ["is it a number to predict"]),
    ],
)  # fmt: skip
def test_every_fault_is_one_line_with_its_place(table, refusal, text, words):
    message = refusal(data.open, table(text), label="label")
    assert "t.csv" in message
    for word in words:
        assert word in message


def test_missing_cells_by_policy(table):
    path = table("x,c,label\n1,u,a\n,u,b\n3,,a\n5,v,b\n")
    filled = data.open(path, missing="mean")
    assert np.isnan(filled.X[1, 0])
    assert filled.X[2, 1:].tolist() == [0, 0]
    assert said(filled, "2 empty cells in 2 columns")
    standard = data.Standard.fit(filled.features(), filled.schema.standardised)
    assert standard.transform(filled.features())[1, 0] == 0
    dropped = data.open(path, missing="drop")
    assert dropped.X.tolist() == [[1, 1, 0], [5, 0, 1]]
    assert said(dropped, "2 rows of 4 with empty cells dropped")


def test_text_is_one_hot_with_a_limit(table, refusal):
    text = "c,label\n" + "".join(f"c{i % 60:02d},{'ab'[i % 2]}\n" for i in range(180))
    message = refusal(data.open, table(text))
    assert "column 'c' holds 60 different texts, more than 50" in message
    found = data.open(table(text), max_categories=60)
    assert found.X.shape == (180, 60)
    assert (found.X.sum(1) == 1).all()
    assert not found.schema.standardised.any()
    assert found.schema.feature_names[3] == "c=c03"


def test_few_texts_among_numbers_are_categories_and_said(table):
    found = data.open(table("c,label\n" + "".join(f"{['0', '1', '3+'][i % 3]},{'ab'[i % 2]}\n" for i in range(30))))
    assert found.schema.columns[0].categories == ("0", "1", "3+")
    assert said(found, "'3+'", "taken as 3 categories")


def test_drop(table, refusal):
    path = table("id,x,label\n" + "".join(f"id{i},{i * i},{'ab'[i % 2]}\n" for i in range(9)))
    assert data.open(path, drop=("id",)).X.shape == (9, 1)
    assert "did you mean 'id'" in refusal(data.open, path, drop=("ids",))
    with pytest.raises(SettingError, match="is the label"):
        data.open(path, drop=("label", "id"))


def test_unnamed_index_is_left_out_and_a_named_one_noted(table):
    text = ",x,label\n" + "".join(f"{i},{i * i % 7},{'ab'[i % 2]}\n" for i in range(20))
    found = data.open(table(text))
    assert [c.name for c in found.schema.columns] == ["x"]
    assert said(found, "counts the rows: left out")
    named = data.open(table(text.replace(",x", "number,x", 1)))
    assert said(named, "column 'number' counts the rows")


def test_large_numbers_that_float32_rounds_away_are_noted(table):
    found = data.open(table("t,label\n" + "".join(f"{1_700_000_000 + i * 7 % 9},{'ab'[i % 2]}\n" for i in range(20))))
    assert said(found, "float32")


def test_duplicates_are_grouped_and_conflicts_counted(table):
    found = data.open(table("x,z,label\n1,2,a\n1,2,b\n3,4,a\n1.0,2.0,a\n"))
    assert found.groups.tolist() == [0, 0, 1, 0]
    assert said(found, "3 duplicate rows in 1 group")
    assert said(found, "1 group", "different labels")


def test_check_lists_all_problems_and_goes_on(table):
    report = data.check(table("id,when,x,k,label\n" + "".join(
        f"i{i},2024-01-{i + 1:02d},{'' if i == 3 else i},7,{'ab'[i % 2]}\n" for i in range(9)) + "1,2\n"))  # fmt: skip
    text = " | ".join(report.problems)
    for word in ("line 11 has 2 cells", "column 'id'", "column 'when' holds dates", "column 'x', line 5: empty"):
        assert word in text
    assert report.rows == 9
    assert report.missing == {"x": 1}
    assert report.constant == ("k",)
    assert report.classes == {"a": 5, "b": 4}


def test_check_names_imbalance_and_small_classes(table):
    report = data.check(table("x,label\n" + "".join(f"{i * 1.5},{'b' if i < 2 else 'a'}\n" for i in range(40))))
    assert report.imbalance == 19
    assert any("19 times" in note for note in report.notes)
    assert any("class 'b' has 2 rows" in problem for problem in report.problems)


def test_parquet_reads_as_typed(tmp_path, refusal):
    import polars as pl

    frame = pl.DataFrame({
        "n": [1, 2, 3, 4], "f": [0.5, None, 1.5, float("nan")], "t": ["u", "v", "u", "v"],
        "b": [True, False, True, True], "y": [1.0, 2.0, 1.0, 2.0],
    })  # fmt: skip
    path = tmp_path / "t.parquet"
    frame.write_parquet(path)
    found = data.open(path, missing="mean")
    assert found.classes == ("1", "2")
    np.testing.assert_array_equal(found.X[:, [0, 2, 3, 4]], [[1, 1, 0, 1], [2, 0, 1, 0], [3, 1, 0, 1], [4, 0, 1, 1]])
    assert np.isnan(found.X[:, 1]).tolist() == [False, True, False, True]
    frame.with_columns(d=pl.date(2024, 1, 1)).write_parquet(path)
    assert "column 'd' holds dates" in refusal(data.open, path, missing="mean")
    frame.with_columns(l=pl.lit([1, 2])).write_parquet(path)
    assert "column 'l' holds List" in refusal(data.open, path, missing="mean")
    frame.with_columns(i=pl.lit(2**60)).write_parquet(path)
    assert "2**53" in refusal(data.open, path, missing="mean")


def test_damaged_parquet_is_one_line(tmp_path, refusal):
    import polars as pl

    path = tmp_path / "t.parquet"
    pl.DataFrame({"x": list(range(1000)), "y": ["a", "b"] * 500}).write_parquet(path)
    whole = path.read_bytes()
    for content in (whole[:200], whole[:-1], whole[:100] + b"\0" * 50 + whole[150:], b"PAR1", b""):
        path.write_bytes(content)
        assert "t.parquet" in refusal(data.open, path)


def test_new_rows_are_read_by_name(table):
    found = data.open(table("x,c,label\n1,u,a\n2,v,b\n3,u,a\n4,v,b\n"))
    read = data.read_like(found.schema, table("more,c,x\n9,v,5\n9,w,6\n", "new.csv"))
    assert read.features.tolist() == [[5, 0, 1], [6, 0, 0]]
    assert read.names == ["1", "2"]
    assert read.labels is None
    assert any("'more' not used" in note for note in read.notes)
    assert any("'w' not seen in training (1 row)" in note for note in read.notes)
    features, names, labels = data.read_like(found.schema, table("label;x;c\nb;0,5;u\n", "new.csv"))
    assert features.tolist() == [[0.5, 1, 0]]
    assert (names, labels) == (["1"], ["b"])


def test_new_rows_that_do_not_fit_are_named(table, refusal):
    schema = data.open(table("width,c,label\n1,u,a\n2,v,b\n3,u,a\n4,v,b\n")).schema
    assert "needs column 'width'; did you mean 'widht'" in refusal(
        data.read_like, schema, table("widht,c\n1,u\n", "n.csv")
    )
    assert "line 3: 'x' is no number" in refusal(data.read_like, schema, table("width,c\n1,u\nx,v\n", "n.csv"))
    assert "line 2: empty" in refusal(data.read_like, schema, table("width,c\n,u\n", "n.csv"))
    assert "infinite" in refusal(data.read_like, schema, table("width,c\ninf,u\n", "n.csv"))
    assert "line 3 has 1 cell" in refusal(data.read_like, schema, table("width,c\n1,u\n2\n", "n.csv"))
    assert "n.csv holds no rows" in refusal(data.read_like, schema, table("width,c\n", "n.csv"))


def test_new_rows_follow_the_missing_policy(table):
    path = table("x,c,label\n1,u,a\n,u,b\n3,v,a\n5,v,b\n")
    new = table("x,c\n,u\n7,v\n", "new.csv")
    assert np.isnan(data.read_like(data.open(path, missing="mean").schema, new).features[0, 0])
    read = data.read_like(data.open(path, missing="drop").schema, new)
    assert read.features.tolist() == [[7, 0, 1]]
    assert read.names == ["2"]
