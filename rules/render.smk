# Motions to videos.


rule plate:
    input:
        crop="results/clips/{clip}/crop.mp4",
        labels="results/clips/{clip}/labels.mkv",
    output:
        "results/clips/{clip}/plate.mp4",
    log:
        "results/logs/plate/{clip}.log",
    benchmark:
        "results/benchmarks/plate/{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        config=stage_config("plate"),
        code=stage_code("plate"),
    shell:
        "python -m emotag.stages.plate --crop {input.crop:q} --labels {input.labels:q} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


rule truth:
    input:
        crop=lambda w: PLAN.cue_file(w, "crop.mp4"),
        audio=lambda w: PLAN.cue_file(w, "audio.wav"),
        motion="results/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
    output:
        "results/identities/{identity}/drives/{drive}/truth.mp4",
    log:
        "results/logs/truth/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/truth/{identity}@{drive}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    params:
        config=stage_config("render"),
        code=stage_code("truth"),
    shell:
        "python -m emotag.stages.truth --crop {input.crop:q} --audio {input.audio:q} --motion {input.motion:q}"
        " --out {output:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


# The product, or a variant of it. Its baselines are one job, because nothing but a new drive or avatar makes any of them again.
rule render_variant:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        avatar="results/identities/{identity}/avatar.safetensors",
        motion="results/identities/{identity}/drives/{drive}/{variant}/motion.safetensors",
        plate=lambda w: PLAN.cue_file(w, "plate.mp4"),
        audio=PLAN.driving_audio,
    output:
        video=report(
            "results/identities/{identity}/drives/{drive}/{variant}/video.mp4",
            caption="../report/video.rst",
            category="Videos",
            subcategory="each variant",
        ),
        sidecar="results/identities/{identity}/drives/{drive}/{variant}/sidecar.json",
    log:
        "results/logs/render/{identity}@{drive}@{variant}.log",
    benchmark:
        "results/benchmarks/render/{identity}@{drive}@{variant}.jsonl"
    wildcard_constraints:
        variant="avatar",
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        facts=PLAN.facts,
        config=stage_config("render"),
        code=stage_code("render"),
    shell:
        "python -m emotag.stages.render --head {input.head:q} --subject {input.subject:q} --avatar {input.avatar:q}"
        " --motion {input.motion:q} --plate {input.plate:q} --audio {input.audio:q} --facts {params.facts:q}"
        " --out {output.video:q} --out-sidecar {output.sidecar:q} --threads {threads} --config {params.config:q}"
        " 2>&1 | tee -i {log:q}"


use rule render_variant as render_baselines with:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        avatar="results/identities/{identity}/avatar.safetensors",
        motion=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/motion.safetensors",
            variant=BASELINES,
        ),
        plate=lambda w: PLAN.cue_file(w, "plate.mp4"),
        audio=PLAN.driving_audio,
    output:
        video=report(
            expand(
                "results/identities/{{identity}}/drives/{{drive}}/{variant}/video.mp4",
                variant=BASELINES,
            ),
            caption="../report/video.rst",
            category="Videos",
            subcategory="each variant",
        ),
        sidecar=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/sidecar.json",
            variant=BASELINES,
        ),
    log:
        "results/logs/render_baselines/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/render_baselines/{identity}@{drive}.jsonl"
    wildcard_constraints:
        drive=r"self-[A-Za-z0-9][A-Za-z0-9_-]*",
    resources:
        gpu=1,
        mem_mb=grows(4000),
        runtime=grows(180),


# For tables alone: nobody who lets an avatar speak asks for these.
use rule render_baselines as render_baselines_by_audio with:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        avatar="results/identities/{identity}/avatar.safetensors",
        motion=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/motion.safetensors",
            variant=BASELINES_OF_AUDIO,
        ),
        plate=lambda w: PLAN.cue_file(w, "plate.mp4"),
        audio=PLAN.driving_audio,
    output:
        video=report(
            expand(
                "results/identities/{{identity}}/drives/{{drive}}/{variant}/video.mp4",
                variant=BASELINES_OF_AUDIO,
            ),
            caption="../report/video.rst",
            category="Videos",
            subcategory="each variant",
        ),
        sidecar=expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/sidecar.json",
            variant=BASELINES_OF_AUDIO,
        ),
    wildcard_constraints:
        drive=r"audio-[A-Za-z0-9][A-Za-z0-9_-]*",
