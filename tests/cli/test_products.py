"""--products on the command line, in the settings file and the environment; said and stored with what was trained."""

from pathlib import Path

from steepest.train.model_file import load

SMALL = "blobs --samples 60 --epochs 1"


def test_a_comparison_decides_says_and_stores_them(steepest, monkeypatch):
    words = f"compare {SMALL} --methods sgd --penalties none --trials 1 --replicates 2"
    planned = f"{words} --dry-run --json"
    assert steepest(planned).json["settings"]["products"] == "float32"  # what auto is on a CPU
    Path("steepest.toml").write_text('[compare]\nproducts = "bfloat16"\n')
    assert steepest(planned).json["settings"]["products"] == "bfloat16"
    monkeypatch.setenv("STEEPEST_PRODUCTS", "float32")
    assert steepest(planned).json["settings"]["products"] == "float32"
    found = steepest(f"{words} --products bfloat16")
    assert "products rounded to bfloat16" in " ".join(found.out.split())
    assert "products" not in " ".join(steepest(words).out.split())
    runs = [steepest(f"runs show {run} --json").json for run in (1, 2)]
    assert [run["run"]["result"]["settings"]["products"] for run in runs] == ["bfloat16", "float32"]


def test_a_training_takes_them_from_the_run_or_as_told(steepest):
    steepest(f"compare {SMALL} --methods sgd --penalties none --trials 1 --replicates 2 --products bfloat16")
    done = steepest("fit blobs --samples 60 --from latest --out run.safetensors")
    assert done.code == 0, done.err
    assert "products bfloat16" in done.out
    assert load("run.safetensors").recipe.products == "bfloat16"
    done = steepest("fit blobs --samples 60 --from latest --products float32 --out full.safetensors")
    assert "bfloat16" not in done.out
    assert load("full.safetensors").recipe.products == "float32"


def test_a_wrong_word_names_the_right_ones(steepest):
    done = steepest(f"fit {SMALL} --products half")
    assert done.code == 2
    assert "bfloat16" in done.err
