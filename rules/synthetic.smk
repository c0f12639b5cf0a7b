# What is made by code from the CC0 head and the shipped voices: the demo's talker and the default corpus of the prior.
VOICES = sorted(
    str(path)
    for path in Path("data/voices").glob("*")
    if path.suffix in (".ogg", ".json")
)
# Emotional readings that the prior learns emotion from; mood01 is the voice of the table of emotions.
ACTED = sorted(
    str(path)
    for pattern in ("takes/speaker*", "moods/mood*")
    for path in Path("data").glob(pattern)
    if path.stem != "mood01"
)


rule synthetic_clip:
    input:
        head="results/head/makehuman.safetensors",
        takes=PLAN.speaker,
    output:
        video="results/synthetic/syn{talker}-c{take}/video.mp4",
        tracks="results/synthetic/syn{talker}-c{take}/tracks.safetensors",
        truth="results/synthetic/syn{talker}-c{take}/truth.safetensors",
        labels="results/synthetic/syn{talker}-c{take}/labels.mkv",
    log:
        "results/logs/synthetic_clip/syn{talker}-c{take}.log",
    benchmark:
        "results/benchmarks/synthetic_clip/syn{talker}-c{take}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        talker=lambda w: int(w.talker),
        take=lambda w: int(w.take),
        config=stage_config("synthetic_corpus"),
        code=stage_code("synthetic_clip"),
    shell:
        "python -m emotag.stages.synthetic_clip --head {input.head:q} --speech {input.takes[0]:q}"
        " --identity {params.talker} --clip {params.take} --out {output.video:q} --tracks {output.tracks:q}"
        " --truth {output.truth:q} --labels {output.labels:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule phones:
    input:
        voices=VOICES,
        model=PLAN.model("speech"),
    output:
        classifier="results/prior/phones.safetensors",
        table="results/tables/phones.csv",
    log:
        "results/logs/phones/shared.log",
    benchmark:
        "results/benchmarks/phones/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        voices=lambda w, input: str(Path(input.voices[0]).parent),
        config=stage_config("speech"),
        code=stage_code("phones"),
    shell:
        "python -m emotag.stages.phones --voices {params.voices:q} --model {input.model:q} --out {output.classifier:q}"
        " --out-table {output.table:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule take:
    input:
        audio=lambda w: PLAN.recording(w).audio,
        transcript=lambda w: PLAN.recording(w).transcript or [],
        model=PLAN.model("speech"),
        phones="results/prior/phones.safetensors",
    output:
        takes="results/takes/{name}/speaker-{name}.json",
        audio="results/takes/{name}/speaker-{name}.wav",
    log:
        "results/logs/take/{name}.log",
    benchmark:
        "results/benchmarks/take/{name}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        language=lambda w: PLAN.recording(w).language,
        config=stage_config("speech"),
        code=stage_code("take"),
    shell:
        "python -m emotag.stages.take --name {wildcards.name} --audio {input.audio:q} --transcript {input.transcript:q}"
        " --language {params.language:q} --model {input.model:q} --phones {input.phones:q} --out {output.takes:q}"
        " --out-audio {output.audio:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule realism:
    input:
        crop="results/clips/{clip}/crop.mp4",
        crop_info="results/clips/{clip}/crop.json",
        landmarks="results/clips/{clip}/landmarks.safetensors",
        alpha="results/clips/{clip}/alpha.mkv",
        labels="results/clips/{clip}/labels.mkv",
        emotion="results/clips/{clip}/emotion.safetensors",
        truth="results/synthetic/{clip}/truth.safetensors",
        true_labels="results/synthetic/{clip}/labels.mkv",
        scorer=place_of("face_expression_model.bin"),
        scorer_manifest=place_of("face_expression_model-weights_manifest.json"),
    output:
        "results/synthetic/{clip}/realism.json",
    log:
        "results/logs/realism/{clip}.log",
    benchmark:
        "results/benchmarks/realism/{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        code=stage_code("realism"),
    shell:
        "python -m emotag.stages.realism --clip {wildcards.clip} --crop {input.crop:q} --crop-info {input.crop_info:q}"
        " --landmarks {input.landmarks:q} --alpha {input.alpha:q} --labels {input.labels:q} --emotion {input.emotion:q}"
        " --truth {input.truth:q} --true-labels {input.true_labels:q} --scorer {input.scorer:q}"
        " --scorer-manifest {input.scorer_manifest:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule realism_table:
    input:
        PLAN.talker_files("realism.json"),
    output:
        "results/tables/synthetic_realism.csv",
    log:
        "results/logs/realism_table/shared.log",
    benchmark:
        "results/benchmarks/realism_table/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=stage_code("realism_table"),
    shell:
        "python -m emotag.stages.realism_table --clips {input:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule tracker_truth:
    input:
        head="results/head/makehuman.safetensors",
        tracks=PLAN.talker_tracks(),
        truth=PLAN.talker_files("tracks.safetensors"),
    output:
        "results/tables/tracker_truth.csv",
    log:
        "results/logs/tracker_truth/shared.log",
    benchmark:
        "results/benchmarks/tracker_truth/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        people=list(PLAN.talker_clips().values()),
        code=stage_code("tracker_truth"),
    shell:
        "python -m emotag.stages.tracker_truth --head {input.head:q} --people {params.people} --tracks {input.tracks:q}"
        " --truth {input.truth:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule demo:
    input:
        head="results/head/makehuman.safetensors",
        voices=VOICES,
    output:
        video="results/demo/demo.mp4",
        truth="results/demo/truth.safetensors",
    log:
        "results/logs/demo/shared.log",
    benchmark:
        "results/benchmarks/demo/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        voices=lambda w, input: str(Path(input.voices[0]).parent),
        config=stage_config("demo"),
        code=stage_code("demo"),
    shell:
        "python -m emotag.stages.demo --head {input.head:q} --speech {params.voices:q} --out {output.video:q}"
        " --out-truth {output.truth:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule lips:
    input:
        voices=VOICES,
        model=PLAN.model("speech"),
    output:
        "results/prior/lips.safetensors",
    log:
        "results/logs/lips/shared.log",
    benchmark:
        "results/benchmarks/lips/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        voices=lambda w, input: str(Path(input.voices[0]).parent),
        config=stage_config("speech"),
        code=stage_code("lips"),
    shell:
        "python -m emotag.stages.lips --voices {params.voices:q} --model {input.model:q}"
        " --out {output:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


# What the avatar of adapt.identity shows when an emotion is set, and when it is heard.
rule emotion_control:
    input:
        head=PLAN.head,
        subject="results/identities/{identity}/subject.safetensors",
        avatar="results/identities/{identity}/avatar.safetensors",
        identity="results/identities/{identity}/identity.safetensors",
        tracks=lambda w: PLAN.adapt_file(w, "refined.safetensors"),
        action_units=lambda w: PLAN.adapt_file(w, "action_units.safetensors"),
        plate=lambda w: PLAN.adapt_file(w, "plate.mp4"),
        model=PLAN.model("speech"),
        takes="data/moods/mood01.json",
        sound="data/moods/mood01.ogg",
        scorer=place_of("face_expression_model.bin"),
        scorer_manifest=place_of("face_expression_model-weights_manifest.json"),
    output:
        table="results/emotion_control/{identity}.csv",
        sheet="results/emotion_control/{identity}.png",
    log:
        "results/logs/emotion_control/{identity}.log",
    benchmark:
        "results/benchmarks/emotion_control/{identity}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(6000),
        runtime=grows(120),
    params:
        config=stage_config("render"),
        speech=stage_config("speech"),
        code=stage_code("emotion_control", METHOD),
    shell:
        "python -m emotag.stages.emotion_control --head {input.head:q} --subject {input.subject:q}"
        " --avatar {input.avatar:q} --identity {input.identity:q} --tracks {input.tracks:q}"
        " --action-units {input.action_units:q} --plate {input.plate:q} --model {input.model:q} --takes {input.takes:q}"
        " --scorer {input.scorer:q} --scorer-manifest {input.scorer_manifest:q} --out {output.table:q}"
        " --out-sheet {output.sheet:q} --threads {threads} --config {params.config:q} --speech-config {params.speech:q}"
        " 2>&1 | tee -i {log:q}"


rule actors:
    input:
        head=PLAN.head,
        takes=[path for path in ACTED if path.endswith(".json")],
        sounds=[path for path in ACTED if path.endswith(".ogg")],
        voices=VOICES,
        model=PLAN.model("speech"),
    output:
        "results/corpus/synthetic/actors.safetensors",
    log:
        "results/logs/actors/shared.log",
    benchmark:
        "results/benchmarks/actors/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        voices=lambda w, input: str(Path(input.voices[0]).parent),
        config=stage_config("talkers"),
        speech=stage_config("speech"),
        code=stage_code("actors"),
    shell:
        "python -m emotag.stages.actors --head {input.head:q} --takes {input.takes:q} --voices {params.voices:q}"
        " --model {input.model:q} --out {output:q} --config {params.config:q} --speech-config {params.speech:q}"
        " 2>&1 | tee -i {log:q}"


rule corpus:
    input:
        head=PLAN.head,
        voices=VOICES,
        model=PLAN.model("speech"),
    output:
        "results/corpus/synthetic/all.safetensors",
    log:
        "results/logs/corpus/shared.log",
    benchmark:
        "results/benchmarks/corpus/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(4000),
        runtime=grows(60),
    params:
        voices=lambda w, input: str(Path(input.voices[0]).parent),
        config=stage_config("talkers"),
        speech=stage_config("speech"),
        code=stage_code("corpus"),
    shell:
        "python -m emotag.stages.corpus --head {input.head:q} --voices {params.voices:q} --model {input.model:q}"
        " --out {output:q} --config {params.config:q} --speech-config {params.speech:q} 2>&1 | tee -i {log:q}"
