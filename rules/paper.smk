# The paper's tables: what is measured beyond a drive's own metrics, and the tables themselves (data/tables.yaml).


# Avatars that speak another person's speech.
rule measure_speech:
    input:
        videos=expand(
            "results/identities/{{identity}}/drives/audio-{{name}}/{variant}/video.mp4",
            variant=["avatar", "frozen", "nearest"],
        ),
        speaker=lambda w: PAPER.speaker(w, "crop.mp4"),
        sync=lambda w: PAPER.speaker(w, "sync.json"),
        syncnet=metric_files(CONFIG, ASSETS, "syncnet"),
    output:
        "results/identities/{identity}/drives/audio-{name}/metrics.parquet",
    log:
        "results/logs/measure_speech/{identity}@audio-{name}.log",
    benchmark:
        "results/benchmarks/measure_speech/{identity}@audio-{name}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        clip=lambda w: PLAN.adapt_clip(w.identity),
        crop=PLAN.crop_of,
        providers=PLAN.providers,
        seed=CONFIG.adapt.seed,
        config=stage_config("measure"),
        code=stage_code("measure_speech"),
    shell:
        "python -m emotag.stages.measure_speech --videos {input.videos:q} --speaker {input.speaker:q}"
        " --sync {input.sync:q} --syncnet {input.syncnet:q} --identity {wildcards.identity} --clip {params.clip}"
        " --crop {params.crop:q} --providers {params.providers:q} --seed {params.seed} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


use rule measure_speech as measure_speech_variant with:
    input:
        videos=[
            "results/variants/{model}/identities/{identity}/drives/audio-{name}/avatar/video.mp4"
        ],
        speaker=lambda w: PAPER.speaker(w, "crop.mp4"),
        sync=lambda w: PAPER.speaker(w, "sync.json"),
        syncnet=metric_files(CONFIG, ASSETS, "syncnet"),
    output:
        "results/variants/{model}/identities/{identity}/drives/audio-{name}/metrics.parquet",
    log:
        "results/variants/{model}/logs/measure_speech/{identity}@audio-{name}.log",
    benchmark:
        "results/variants/{model}/benchmarks/measure_speech/{identity}@audio-{name}.jsonl"


# A benchmark rather than a result: it is of the machine.
rule speed:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        identity="results/identities/{identity}/identity.safetensors",
        avatar="results/identities/{identity}/avatar.safetensors",
        motion="results/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
        action_units=lambda w: PLAN.cue_file(w, "action_units.safetensors"),
        sync=lambda w: PLAN.cue_file(w, "sync.json"),
        speech=lambda w: PLAN.cue_file(w, "speech.safetensors"),
        audio=lambda w: PLAN.cue_file(w, "audio.wav"),
        model=PLAN.speed_model,
    output:
        "results/speed/{identity}@{drive}.json",
    log:
        "results/logs/speed/{identity}@{drive}.log",
    benchmark:
        "results/benchmarks/speed/{identity}@{drive}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        config=stage_config("render"),
        speech=stage_config("speech"),
        code=stage_code("speed"),
    shell:
        "python -m emotag.stages.speed --head {input.head:q} --subject {input.subject:q} --identity {input.identity:q}"
        " --avatar {input.avatar:q} --motion {input.motion:q} --action-units {input.action_units:q}"
        " --sync {input.sync:q} --speech {input.speech:q} --audio {input.audio:q} --model {input.model:q}"
        " --out {output:q} --config {params.config:q} --speech-config {params.speech:q} --threads {threads}"
        " 2>&1 | tee -i {log:q}"


use rule speed as speed_of_variant with:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        identity="results/identities/{identity}/identity.safetensors",
        avatar="results/variants/{model}/identities/{identity}/avatar.safetensors",
        motion="results/variants/{model}/identities/{identity}/drives/{drive}/avatar/motion.safetensors",
        action_units=lambda w: PLAN.cue_file(w, "action_units.safetensors"),
        sync=lambda w: PLAN.cue_file(w, "sync.json"),
        speech=lambda w: PLAN.cue_file(w, "speech.safetensors"),
        audio=lambda w: PLAN.cue_file(w, "audio.wav"),
        model=PLAN.speed_model,
    output:
        "results/variants/{model}/speed/{identity}@{drive}.json",
    log:
        "results/variants/{model}/logs/speed/{identity}@{drive}.log",
    benchmark:
        "results/variants/{model}/benchmarks/speed/{identity}@{drive}.jsonl"


# As a file, because rows of many cases are longer than a command line may be.
rule table_plan:
    output:
        "results/tables/{table}_plan.json",
    log:
        "results/logs/table_plan/{table}.log",
    wildcard_constraints:
        table="|".join(PAPER.names()),
    localrule: True
    params:
        plan=lambda w: dumps(PAPER.described(w)),
    run:
        write_atomic(Path(output[0]), params.plan.encode())
        write_atomic(Path(log[0]), b"written\n")


rule table:
    input:
        plan="results/tables/{table}_plan.json",
        files=PAPER.inputs,
    output:
        table="results/tables/{table}.csv",
        sidecar="results/tables/{table}.json",
        cells="results/tables/{table}_cells.csv",
    log:
        "results/logs/table/{table}.log",
    benchmark:
        "results/benchmarks/table/{table}.jsonl"
    wildcard_constraints:
        table="|".join(PAPER.names()),
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(20),
    params:
        metrics=PAPER.metrics,
        code=stage_code("table"),
    shell:
        "python -m emotag.stages.table --plan {input.plan:q} --metrics {params.metrics:q} --out {output.table:q}"
        " --out-sidecar {output.sidecar:q} --out-cells {output.cells:q} 2>&1 | tee -i {log:q}"
