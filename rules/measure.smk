# Videos to numbers, pictures and the summary.


rule measure:
    input:
        truth="results/identities/{identity}/drives/{drive}/truth.mp4",
        videos=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/video.mp4",
            variant=["avatar", "frozen", "nearest", "upper_bound"],
        ),
        labels=lambda w: PLAN.cue_file(w, "labels.mkv"),
        head="results/head/makehuman.safetensors",
        subject="results/identities/{identity}/subject.safetensors",
        motion="results/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
    output:
        "results/identities/{identity}/drives/{drive}/metrics.parquet",
    log:
        "results/logs/measure/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/measure/{identity}@{drive}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        clip=lambda w: PLAN.cue_clip(w.identity, w.drive),
        providers=PLAN.providers,
        seed=CONFIG.adapt.seed,
        config=stage_config("measure"),
        code=stage_code("measure"),
    shell:
        "python -m emotag.stages.measure --truth {input.truth:q} --videos {input.videos:q} --labels {input.labels:q}"
        " --head {input.head:q} --subject {input.subject:q} --motion {input.motion:q} --identity {wildcards.identity}"
        " --clip {params.clip} --providers {params.providers:q} --seed {params.seed} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee {log:q}"


rule page:
    input:
        summaries=expand("results/summary/{identity}.json", identity=CONFIG.identities),
    output:
        "results/report/results.md",
    log:
        "results/logs/page/shared.log",
    benchmark:
        "results/benchmarks/page/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    params:
        code=stage_code("page"),
    shell:
        "python -m emotag.stages.page --summaries {input.summaries:q} --out {output:q} 2>&1 | tee {log:q}"
