# Videos to numbers, pictures and the summary.


rule measure:
    input:
        truth="results/identities/{identity}/drives/{drive}/truth.mp4",
        videos=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/video.mp4",
            variant=VARIANTS,
        ),
        labels=lambda w: PLAN.cue_file(w, "labels.mkv"),
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        motion="results/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
        lpips=metric_files(CONFIG, ASSETS, "lpips"),
        syncnet=metric_files(CONFIG, ASSETS, "syncnet"),
        emotion=metric_files(CONFIG, ASSETS, "emotion_agreement"),
    output:
        "results/identities/{identity}/drives/{drive}/metrics.parquet",
    log:
        "results/logs/measure/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/measure/{identity}@{drive}.jsonl"
    wildcard_constraints:
        drive=r"self-[A-Za-z0-9][A-Za-z0-9_-]*",
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        clip=lambda w: PLAN.cue_clip(w.identity, w.drive),
        crop=PLAN.crop_of,
        providers=PLAN.providers,
        seed=CONFIG.adapt.seed,
        config=stage_config("measure"),
        code=stage_code("measure"),
    shell:
        "python -m emotag.stages.measure --truth {input.truth:q} --videos {input.videos:q} --labels {input.labels:q}"
        " --head {input.head:q} --subject {input.subject:q} --motion {input.motion:q} --lpips {input.lpips:q}"
        " --syncnet {input.syncnet:q} --emotion {input.emotion:q} --identity {wildcards.identity}"
        " --clip {params.clip} --crop {params.crop:q} --providers {params.providers:q} --seed {params.seed} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


rule summary:
    input:
        video="results/identities/{identity}/drives/{drive}/avatar/video.mp4",
        sidecar="results/identities/{identity}/drives/{drive}/avatar/sidecar.json",
        quality=lambda w: PLAN.cue_file(w, "quality.json"),
        sync=lambda w: PLAN.cue_file(w, "sync.json"),
        subject="results/identities/{identity}/subject.safetensors",
        labels=lambda w: PLAN.cue_file(w, "labels.mkv"),
        truth="results/identities/{identity}/drives/{drive}/truth.mp4",
        others=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/video.mp4",
            variant=BASELINES,
        ),
        metrics="results/identities/{identity}/drives/{drive}/metrics.parquet",
    output:
        summary="results/identities/{identity}/drives/{drive}/summary.json",
        sheet=report(
            "results/identities/{identity}/drives/{drive}/sheet.png",
            caption="../report/sheet.rst",
            category="Pictures",
        ),
        side_by_side=report(
            "results/identities/{identity}/drives/{drive}/side_by_side.mp4",
            caption="../report/side_by_side.rst",
            category="Videos",
        ),
        csv=report(
            "results/identities/{identity}/drives/{drive}/metrics.csv",
            caption="../report/metrics.rst",
            category="Metrics",
        ),
        markdown="results/identities/{identity}/drives/{drive}/metrics.md",
    log:
        "results/logs/summary/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/summary/{identity}@{drive}.jsonl"
    wildcard_constraints:
        drive=r"self-[A-Za-z0-9][A-Za-z0-9_-]*",
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        own_names=lambda w: PLAN.own_names(w.identity, w.drive),
        shared_jobs=lambda w: PLAN.shared_jobs(w.identity),
        preset=CONFIG.preset,
        code=stage_code("summary"),
    shell:
        "python -m emotag.stages.summary --identity {wildcards.identity} --drive {wildcards.drive}"
        " --video {input.video:q} --sidecar {input.sidecar:q} --quality {input.quality:q} --sync {input.sync:q}"
        " --subject {input.subject:q} --labels {input.labels:q} --benchmarks results/benchmarks"
        " --own-names {params.own_names:q} --shared-jobs {params.shared_jobs:q} --preset {params.preset}"
        " --truth {input.truth:q} --others {input.others:q} --metrics {input.metrics:q} --out {output.summary:q}"
        " --out-sheet {output.sheet:q} --out-side-by-side {output.side_by_side:q} --out-csv {output.csv:q}"
        " --out-markdown {output.markdown:q} 2>&1 | tee -i {log:q}"


# Speech from a file of its own has no ground truth: a video and its sheet, nothing to compare with.
rule summary_of_audio:
    input:
        video="results/identities/{identity}/drives/audio-{name}/avatar/video.mp4",
        sidecar="results/identities/{identity}/drives/audio-{name}/avatar/sidecar.json",
        quality=lambda w: PLAN.adapt_file(w, "quality.json"),
        sync=lambda w: PLAN.adapt_file(w, "sync.json"),
        subject="results/identities/{identity}/subject.safetensors",
        labels=lambda w: PLAN.adapt_file(w, "labels.mkv"),
    output:
        summary="results/identities/{identity}/drives/audio-{name}/summary.json",
        sheet="results/identities/{identity}/drives/audio-{name}/sheet.png",
    log:
        "results/logs/summary/{identity}@audio-{name}.log",
    benchmark:
        "results/benchmarks/summary/{identity}@audio-{name}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        own_names=lambda w: PLAN.own_names(w.identity, f"audio-{w.name}"),
        shared_jobs=lambda w: PLAN.shared_jobs(w.identity),
        preset=CONFIG.preset,
        code=stage_code("summary"),
    shell:
        "python -m emotag.stages.summary --identity {wildcards.identity} --drive audio-{wildcards.name}"
        " --video {input.video:q} --sidecar {input.sidecar:q} --quality {input.quality:q} --sync {input.sync:q}"
        " --subject {input.subject:q} --labels {input.labels:q} --benchmarks results/benchmarks"
        " --own-names {params.own_names:q} --shared-jobs {params.shared_jobs:q} --preset {params.preset}"
        " --out {output.summary:q} --out-sheet {output.sheet:q} 2>&1 | tee -i {log:q}"


rule gather:
    input:
        summaries=lambda w: PLAN.shown(w.identity, "summary.json"),
    output:
        "results/summary/{identity}.json",
    log:
        "results/logs/gather/{identity}.log",
    benchmark:
        "results/benchmarks/gather/{identity}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=stage_code("gather"),
    shell:
        "python -m emotag.stages.gather --summaries {input.summaries:q} --out {output:q} 2>&1 | tee -i {log:q}"


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
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=stage_code("page"),
    shell:
        "python -m emotag.stages.page --summaries {input.summaries:q} --out {output:q} 2>&1 | tee -i {log:q}"
