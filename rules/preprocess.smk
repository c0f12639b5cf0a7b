# A clip to everything that is known of it. Keyed by clip; what is fitted to a person is keyed by identity and clip.


rule crop:
    input:
        video=PLAN.video,
    output:
        video="results/clips/{clip}/crop.mp4",
        audio="results/clips/{clip}/audio.wav",
        info="results/clips/{clip}/crop.json",
    log:
        "results/logs/crop/{clip}.log",
    benchmark:
        "results/benchmarks/crop/{clip}.jsonl"
    # Footage that cannot work is to be refused before anything long begins.
    priority: 100
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    params:
        config=stage_config("crop"),
        code=stage_code("crop"),
    shell:
        "python -m emotag.stages.crop --video {input.video:q} --out-video {output.video:q}"
        " --out-audio {output.audio:q} --out-info {output.info:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule landmarks:
    input:
        crop="results/clips/{clip}/crop.mp4",
    output:
        "results/clips/{clip}/landmarks.safetensors",
    log:
        "results/logs/landmarks/{clip}.log",
    benchmark:
        "results/benchmarks/landmarks/{clip}.jsonl"
    priority: 90
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    params:
        config=stage_config("landmarks"),
        code=stage_code("landmarks"),
    shell:
        "python -m emotag.stages.landmarks --crop {input.crop:q} --out {output:q} --config {params.config:q}"
        " 2>&1 | tee -i {log:q}"


rule matte:
    input:
        crop="results/clips/{clip}/crop.mp4",
        landmarks="results/clips/{clip}/landmarks.safetensors",
        given=PLAN.given_masks,
    output:
        alpha="results/clips/{clip}/alpha.mkv",
        labels="results/clips/{clip}/labels.mkv",
    log:
        "results/logs/matte/{clip}.log",
    benchmark:
        "results/benchmarks/matte/{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    params:
        config=stage_config("matte"),
        code=stage_code("matte"),
    shell:
        "python -m emotag.stages.matte --crop {input.crop:q} --landmarks {input.landmarks:q} --given {input.given:q}"
        " --out-alpha {output.alpha:q} --out-labels {output.labels:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule speech:
    input:
        audio="results/clips/{clip}/audio.wav",
        model=PLAN.speech_model,
    output:
        "results/clips/{clip}/speech.safetensors",
    log:
        "results/logs/speech/{clip}.log",
    benchmark:
        "results/benchmarks/speech/{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        config=stage_config("speech"),
        code=stage_code("speech"),
    shell:
        "python -m emotag.stages.speech --audio {input.audio:q} --model {input.model:q} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


use rule speech as driving_speech with:
    input:
        audio=lambda w: PLAN.driving_file(w.name),
        model=PLAN.speech_model,
    output:
        "results/audio/{name}/speech.safetensors",
    log:
        "results/logs/speech/audio-{name}.log",
    benchmark:
        "results/benchmarks/speech/audio-{name}.jsonl"


rule emotion:
    input:
        crop="results/clips/{clip}/crop.mp4",
        landmarks="results/clips/{clip}/landmarks.safetensors",
        model=PLAN.model("emotion"),
        package=PLAN.emotion_package(),
    output:
        "results/clips/{clip}/emotion.safetensors",
    log:
        "results/logs/emotion/{clip}.log",
    benchmark:
        "results/benchmarks/emotion/{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    params:
        config=stage_config("emotion"),
        code=stage_code("emotion"),
    shell:
        "python -m emotag.stages.emotion --crop {input.crop:q} --landmarks {input.landmarks:q}"
        " --model {input.model:q} --package {input.package:q} --out {output:q} --config {params.config:q}"
        " 2>&1 | tee -i {log:q}"


rule sync:
    input:
        landmarks="results/clips/{clip}/landmarks.safetensors",
        speech="results/clips/{clip}/speech.safetensors",
        lips="results/prior/lips.safetensors",
        articulation=ARTICULATION,
    output:
        "results/identities/{identity}/{clip}/sync.json",
    log:
        "results/logs/sync/{identity}@{clip}.log",
    benchmark:
        "results/benchmarks/sync/{identity}@{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        start_s=PLAN.start_s,
        seconds=PLAN.seconds,
        config=stage_config("sync"),
        code=stage_code("sync"),
    shell:
        "python -m emotag.stages.sync --landmarks {input.landmarks:q} --speech {input.speech:q} --lips {input.lips:q}"
        " --articulation {input.articulation:q} --start-s {params.start_s} --seconds {params.seconds} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


rule shape:
    input:
        head=PLAN.head,
        crop=lambda w: PLAN.adapt_file(w, "crop.mp4"),
        landmarks=lambda w: PLAN.adapt_file(w, "landmarks.safetensors"),
        labels=lambda w: PLAN.adapt_file(w, "labels.mkv"),
        given=PLAN.given_tracks,
    output:
        "results/identities/{identity}/subject.safetensors",
    log:
        "results/logs/shape/{identity}.log",
    benchmark:
        "results/benchmarks/shape/{identity}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        clip=lambda w: PLAN.adapt_clip(w.identity),
        start_s=PLAN.start_s,
        seconds=PLAN.seconds,
        config=stage_config("shape"),
        code=stage_code("shape"),
    shell:
        "python -m emotag.stages.shape --head {input.head:q} --crop {input.crop:q} --landmarks {input.landmarks:q}"
        " --labels {input.labels:q} --given {input.given:q} --clip {params.clip} --start-s {params.start_s} --seconds {params.seconds}"
        " --out {output:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule track:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        crop="results/clips/{clip}/crop.mp4",
        landmarks="results/clips/{clip}/landmarks.safetensors",
        labels="results/clips/{clip}/labels.mkv",
        given=PLAN.given_tracks,
        blendshapes=PLAN.blendshapes,
    output:
        "results/identities/{identity}/{clip}/tracks.safetensors",
    log:
        "results/logs/track/{identity}@{clip}.log",
    benchmark:
        "results/benchmarks/track/{identity}@{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        config=stage_config("track"),
        code=stage_code("track"),
    shell:
        "python -m emotag.stages.track --head {input.head:q} --subject {input.subject:q} --crop {input.crop:q}"
        " --landmarks {input.landmarks:q} --labels {input.labels:q} --given {input.given:q}"
        " --blendshapes {input.blendshapes:q} --clip {wildcards.clip} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


# For GaussianAvatars and its kin: snakemake results/identities/<identity>/<clip>/vhap/transforms.json.
rule export_vhap:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        tracks="results/identities/{identity}/{clip}/tracks.safetensors",
        crop="results/clips/{clip}/crop.mp4",
        alpha="results/clips/{clip}/alpha.mkv",
    output:
        "results/identities/{identity}/{clip}/vhap/transforms.json",
    log:
        "results/logs/export_vhap/{identity}@{clip}.log",
    benchmark:
        "results/benchmarks/export_vhap/{identity}@{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(15),
    params:
        code=stage_code("export_vhap"),
    shell:
        "python -m emotag.stages.export_vhap --head {input.head:q} --subject {input.subject:q} --tracks {input.tracks:q}"
        " --crop {input.crop:q} --alpha {input.alpha:q} --clip {wildcards.clip} --out {output:q} 2>&1 | tee -i {log:q}"


rule action_units:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        tracks="results/identities/{identity}/{clip}/tracks.safetensors",
        table=PLAN.action_unit_table,
    output:
        "results/identities/{identity}/{clip}/action_units.safetensors",
    log:
        "results/logs/action_units/{identity}@{clip}.log",
    benchmark:
        "results/benchmarks/action_units/{identity}@{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        config=stage_config("action_units"),
        code=stage_code("action_units"),
    shell:
        "python -m emotag.stages.action_units --head {input.head:q} --subject {input.subject:q}"
        " --tracks {input.tracks:q} --table {input.table:q} --out {output:q} --config {params.config:q}"
        " 2>&1 | tee -i {log:q}"


rule calibration:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        tracks="results/identities/{identity}/{clip}/tracks.safetensors",
        given="results/identities/{identity}/{clip}/action_units.safetensors",
    output:
        "results/identities/{identity}/{clip}/calibration.json",
    log:
        "results/logs/calibration/{identity}@{clip}.log",
    benchmark:
        "results/benchmarks/calibration/{identity}@{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        code=stage_code("calibration"),
    shell:
        "python -m emotag.stages.calibration --head {input.head:q} --subject {input.subject:q}"
        " --tracks {input.tracks:q} --given {input.given:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule identity:
    input:
        subject="results/identities/{identity}/subject.safetensors",
        emotion=lambda w: PLAN.adapt_file(w, "emotion.safetensors"),
        tracks=lambda w: PLAN.adapt_file(w, "tracks.safetensors"),
        appearance=PLAN.appearance,
    output:
        "results/identities/{identity}/identity.safetensors",
    log:
        "results/logs/identity/{identity}.log",
    benchmark:
        "results/benchmarks/identity/{identity}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        config=stage_config("identity"),
        code=stage_code("identity"),
    shell:
        "python -m emotag.stages.identity --subject {input.subject:q} --emotion {input.emotion:q}"
        " --tracks {input.tracks:q} --appearance {input.appearance:q} --out {output:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule geometry:
    input:
        head=PLAN.head,
        tracks=lambda w: PLAN.adapt_file(w, "tracks.safetensors"),
        labels=lambda w: PLAN.adapt_file(w, "labels.mkv"),
        appearance=PLAN.seen_geometry,
    output:
        "results/identities/{identity}/geometry.safetensors",
    log:
        "results/logs/geometry/{identity}.log",
    benchmark:
        "results/benchmarks/geometry/{identity}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        start_s=PLAN.start_s,
        seconds=PLAN.seconds,
        config=stage_config("geometry"),
        code=stage_code("geometry"),
    shell:
        "python -m emotag.stages.geometry --head {input.head:q} --tracks {input.tracks:q} --labels {input.labels:q}"
        " --appearance {input.appearance:q} --start-s {params.start_s} --seconds {params.seconds} --out {output:q}"
        " --config {params.config:q} 2>&1 | tee -i {log:q}"


rule quality:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        crop="results/clips/{clip}/crop.mp4",
        crop_info="results/clips/{clip}/crop.json",
        audio="results/clips/{clip}/audio.wav",
        landmarks="results/clips/{clip}/landmarks.safetensors",
        tracks="results/identities/{identity}/{clip}/tracks.safetensors",
        sync="results/identities/{identity}/{clip}/sync.json",
    output:
        report="results/identities/{identity}/{clip}/quality.json",
        sheet="results/identities/{identity}/{clip}/quality.png",
        overlay="results/identities/{identity}/{clip}/overlay.mp4",
    log:
        "results/logs/quality/{identity}@{clip}.log",
    benchmark:
        "results/benchmarks/quality/{identity}@{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        code=stage_code("quality"),
    shell:
        "python -m emotag.stages.quality --head {input.head:q} --subject {input.subject:q} --clip {wildcards.clip}"
        " --crop {input.crop:q} --crop-info {input.crop_info:q}"
        " --audio {input.audio:q} --landmarks {input.landmarks:q} --tracks {input.tracks:q} --sync {input.sync:q}"
        " --out-report {output.report:q} --out-sheet {output.sheet:q} --out-overlay {output.overlay:q} 2>&1 | tee -i {log:q}"
