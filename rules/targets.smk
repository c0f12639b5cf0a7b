# What a user asks for: `snakemake --cores 8 <one of these>`.


rule fetch_assets:
    input:
        [place_of(name) for name in needed(CONFIG, ASSETS) if fetchable(ASSETS[name])],


rule preprocess:
    input:
        PLAN.preprocessed(CONFIG.adapt.identity),


# Rendered talkers with ground truth: synthetic_corpus in the settings says how many.
rule synthetic_corpus:
    input:
        PLAN.talker_files(
            "video.mp4", "tracks.safetensors", "truth.safetensors", "labels.mkv"
        ),


# How real its talkers look to the networks, and how well the tracker finds the truth.
rule synthetic_tables:
    input:
        "results/tables/synthetic_realism.csv",
        "results/tables/tracker_truth.csv",


# What the adapted avatar shows when an emotion is set or heard: a table and a contact sheet.
rule emotion_table:
    input:
        f"results/emotion_control/{CONFIG.adapt.identity}.csv",


# Which clips of the corpus are fit for a prior, and why not: results/tables/curation.csv.
rule curate_corpus:
    input:
        "results/tables/curation.csv",


rule pretrain:
    input:
        PLAN.priors.trained(CONFIG.adapt.identity),


# Makes the files of data/priors anew, to be committed: what every avatar of synthetic talkers' prior begins with.
rule shipped_prior:
    input:
        expand(
            "results/shipped/{file}",
            file=("synthetic.safetensors", "synthetic.json", "README.md"),
        ),
    log:
        "results/logs/shipped_prior/shared.log",
    localrule: True
    run:
        put(input, Path(workflow.basedir, PRIORS), Path(log[0]))


rule adapt_identity:
    input:
        f"results/summary/{CONFIG.adapt.identity}.json",


rule render:
    input:
        PLAN.results(CONFIG.adapt.identity, "video.mp4", variants=["avatar"]),


rule evaluate:
    input:
        PLAN.measured(CONFIG.adapt.identity),


rule report:
    input:
        "results/report/results.md",


rule figures:
    input:
        PLAN.figures(),


rule user_study:
    input:
        "results/study/page.html",


# The raters' answers as a table, beside the published ones.
rule user_study_table:
    input:
        "results/tables/table4.md",
        "results/tables/table4.tex",
        "results/tables/table4.html",


# Every table of data/tables.yaml, or those of paper.only, for print too.
rule paper:
    input:
        lambda w: [
            f"results/tables/{name}.{kind}"
            for name in PAPER.tables()
            for kind in ("csv", "md", "tex", "html")
        ],


# --config forget=NAME: removes every result that was made from a person. The log names nobody.
rule forget_identity:
    log:
        "results/logs/forget/shared.log",
    localrule: True
    run:
        forget_planned(PLAN, config, Path(log[0]))


onsuccess:
    SUMMARY = Path(f"results/summary/{CONFIG.adapt.identity}.json")
    if SUMMARY.is_file() and {"all", "adapt_identity"} & (
        set(workflow.dag_settings.targets) or {"all"}
    ):
        print(places(SUMMARY), file=sys.stderr)


onerror:
    print(*reasons(log), sep="\n", file=sys.stderr)
