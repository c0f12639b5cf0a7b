# What a user asks for: `snakemake --cores 8 <one of these>`.


rule fetch_assets:
    input:
        [place_of(name) for name in needed(CONFIG, ASSETS) if fetchable(ASSETS[name])],


rule preprocess:
    input:
        PLAN.preprocessed(CONFIG.adapt.identity),


rule pretrain:
    input:
        PLAN.prior_of(CONFIG.adapt.identity),


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


# Every table of data/tables.yaml, or those of paper.only.
rule paper:
    input:
        lambda w: [f"results/tables/{name}.csv" for name in PAPER.tables()],


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
