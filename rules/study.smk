# The user study and finished tables for print.


# The key lies apart: raters get the page alone.
rule study:
    input:
        videos=lambda w: PAPER.rated(),
    output:
        page="results/study/page.html",
        key="results/study_key/key.json",
    log:
        "results/logs/study/shared.log",
    benchmark:
        "results/benchmarks/study/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        config=stage_config("study"),
        code=stage_code("study"),
    shell:
        "python -m emotag.stages.study --videos {input.videos:q} --out-page {output.page:q} --out-key {output.key:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


rule ratings:
    input:
        ratings=sorted(map(str, Path(CONFIG.study.ratings).glob("*.csv"))),
        key="results/study_key/key.json",
    output:
        csv="results/tables/table4.csv",
        sidecar="results/tables/table4.json",
    log:
        "results/logs/ratings/shared.log",
    benchmark:
        "results/benchmarks/ratings/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        config=stage_config("study"),
        code=stage_code("ratings"),
    shell:
        "python -m emotag.stages.ratings --ratings {input.ratings:q} --key {input.key:q} --out {output.csv:q}"
        " --out-sidecar {output.sidecar:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule typeset:
    input:
        table="results/tables/{table}.csv",
        sidecar="results/tables/{table}.json",
        references=expand(
            "{data}/reference/{system}.yaml",
            data=Path(workflow.basedir, "data"),
            system=["emotag", "instag", "fiag", "ggtalker", "3dxtalker"],
        ),
    output:
        markdown="results/tables/{table}.md",
        latex="results/tables/{table}.tex",
        page=report(
            "results/tables/{table}.html",
            caption="../report/table.rst",
            category="Tables",
        ),
    log:
        "results/logs/typeset/{table}.log",
    benchmark:
        "results/benchmarks/typeset/{table}.jsonl"
    wildcard_constraints:
        table=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=stage_code("typeset"),
    shell:
        "python -m emotag.stages.typeset --table {input.table:q} --sidecar {input.sidecar:q}"
        " --references {input.references:q} --out-markdown {output.markdown:q} --out-latex {output.latex:q}"
        " --out-page {output.page:q} 2>&1 | tee -i {log:q}"
