# The avatar of one person, and the motions that drive it.


rule adapt:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        identity="results/identities/{identity}/identity.safetensors",
        geometry="results/identities/{identity}/geometry.safetensors",
        prior=lambda w: PLAN.priors.of(w.identity),
        articulation=ARTICULATION,
        tracks=lambda w: PLAN.adapt_file(w, "tracks.safetensors"),
        action_units=lambda w: PLAN.adapt_file(w, "action_units.safetensors"),
        sync=lambda w: PLAN.adapt_file(w, "sync.json"),
        emotion=lambda w: PLAN.adapt_file(w, "emotion.safetensors"),
        speech=lambda w: PLAN.adapt_file(w, "speech.safetensors"),
        crop=lambda w: PLAN.adapt_file(w, "crop.mp4"),
        alpha=lambda w: PLAN.adapt_file(w, "alpha.mkv"),
        labels=lambda w: PLAN.adapt_file(w, "labels.mkv"),
    output:
        "results/identities/{identity}/avatar.safetensors",
    log:
        "results/logs/adapt/{identity}.log",
    benchmark:
        "results/benchmarks/adapt/{identity}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime=grows(240),
    params:
        state="results/state/adapt/{identity}",
        config=stage_config("adapt"),
        code=stage_code("adapt", METHOD),
    shell:
        "python -m emotag.stages.adapt --head {input.head:q} --subject {input.subject:q} --identity {input.identity:q}"
        " --geometry {input.geometry:q} --prior {input.prior:q} --articulation {input.articulation:q}"
        " --tracks {input.tracks:q} --action-units {input.action_units:q} --sync {input.sync:q}"
        " --emotion {input.emotion:q} --speech {input.speech:q} --crop {input.crop:q} --alpha {input.alpha:q}"
        " --labels {input.labels:q} --name {wildcards.identity} --state {params.state:q} --out {output:q}"
        " --threads {threads} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule refine:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        avatar="results/identities/{identity}/avatar.safetensors",
        tracks="results/identities/{identity}/{clip}/tracks.safetensors",
        crop="results/clips/{clip}/crop.mp4",
        labels="results/clips/{clip}/labels.mkv",
        plate="results/clips/{clip}/plate.mp4",
    output:
        "results/identities/{identity}/{clip}/refined.safetensors",
    log:
        "results/logs/refine/{identity}@{clip}.log",
    benchmark:
        "results/benchmarks/refine/{identity}@{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        config=stage_config("refine"),
        code=stage_code("refine"),
    shell:
        "python -m emotag.stages.refine --head {input.head:q} --subject {input.subject:q} --avatar {input.avatar:q}"
        " --tracks {input.tracks:q} --crop {input.crop:q} --labels {input.labels:q} --plate {input.plate:q}"
        " --out {output:q} --threads {threads} --config {params.config:q} 2>&1 | tee -i {log:q}"


# All variants in one job: each is made in less time than a process takes to begin.
rule drive:
    input:
        avatar="results/identities/{identity}/avatar.safetensors",
        subject="results/identities/{identity}/subject.safetensors",
        identity="results/identities/{identity}/identity.safetensors",
        adapt_tracks=lambda w: PLAN.adapt_file(w, "tracks.safetensors"),
        adapt_action_units=lambda w: PLAN.adapt_file(w, "action_units.safetensors"),
        adapt_speech=lambda w: PLAN.adapt_file(w, "speech.safetensors"),
        adapt_sync=lambda w: PLAN.adapt_file(w, "sync.json"),
        tracks=lambda w: PLAN.cue_file(w, "refined.safetensors"),
        action_units=lambda w: PLAN.cue_file(w, "action_units.safetensors"),
        sync=lambda w: PLAN.cue_file(w, "sync.json"),
        speech=PLAN.driving_speech,
        calm=PLAN.calm_speech,
    output:
        expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/motion.safetensors",
            variant=VARIANTS,
        ),
    log:
        "results/logs/drive/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/drive/{identity}@{drive}.jsonl"
    wildcard_constraints:
        drive=r"self-[A-Za-z0-9][A-Za-z0-9_-]*",
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        clip=lambda w: PLAN.cue_clip(w.identity, w.drive),
        self_driven=lambda w: w.drive.startswith("self-"),
        part=PLAN.test_part,
        variants=lambda w, output: [Path(file).parent.name for file in output],
        emotion=lambda w: timeline(CONFIG, w.identity, w.drive),
        code=stage_code("drive", METHOD),
    shell:
        "python -m emotag.stages.drive --avatar {input.avatar:q} --subject {input.subject:q}"
        " --identity {input.identity:q} --adapt-tracks {input.adapt_tracks:q}"
        " --adapt-action-units {input.adapt_action_units:q} --adapt-speech {input.adapt_speech:q}"
        " --adapt-sync {input.adapt_sync:q} --tracks {input.tracks:q} --action-units {input.action_units:q}"
        " --sync {input.sync:q} --speech {input.speech:q} --calm {input.calm:q} --clip {params.clip}"
        " --self-driven {params.self_driven} --part {params.part:q} --emotion {params.emotion:q} --variants {params.variants:q} --out {output:q}"
        " --threads {threads} 2>&1 | tee -i {log:q}"


use rule drive as drive_by_audio with:
    output:
        expand(
            "results/identities/{{identity}}/drives/{{drive}}/{variant}/motion.safetensors",
            variant=["avatar", *BASELINES_OF_AUDIO],
        ),
    wildcard_constraints:
        drive=r"audio-[A-Za-z0-9][A-Za-z0-9_-]*",
