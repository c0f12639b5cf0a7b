# The prior: audio to motion, learnt from other people.


rule curate:
    input:
        crop="results/clips/{clip}/crop.mp4",
        crop_info="results/clips/{clip}/crop.json",
        audio="results/clips/{clip}/audio.wav",
        sync=lambda w: PLAN.clip_file(PLAN.corpus_identity(w.clip), w.clip, "sync.json"),
    output:
        "results/curation/{clip}.json",
    log:
        "results/logs/curate/{clip}.log",
    benchmark:
        "results/benchmarks/curate/{clip}.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(30),
    params:
        config=stage_config("curation"),
        code=stage_code("curate"),
    shell:
        "python -m emotag.stages.curate --clip {wildcards.clip} --crop {input.crop:q} --crop-info {input.crop_info:q}"
        " --audio {input.audio:q} --sync {input.sync:q} --out {output:q} --config {params.config:q} 2>&1 | tee -i {log:q}"


rule curation_table:
    input:
        PLAN.judgements(),
    output:
        "results/tables/curation.csv",
    log:
        "results/logs/curation_table/shared.log",
    benchmark:
        "results/benchmarks/curation_table/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(1000),
        runtime=grows(10),
    params:
        code=stage_code("curation_table"),
    shell:
        "python -m emotag.stages.curation_table --judged {input:q} --out {output:q} 2>&1 | tee -i {log:q}"


rule corpus_of_clips:
    input:
        curation=PLAN.curation,
        tracks=lambda w: PLAN.corpus_files(w.left_out, "tracks.safetensors"),
        action_units=lambda w: PLAN.corpus_files(w.left_out, "action_units.safetensors"),
        emotion=lambda w: PLAN.corpus_files(w.left_out, "emotion.safetensors"),
        identity=lambda w: PLAN.corpus_files(w.left_out, "identity.safetensors"),
        speech=lambda w: PLAN.corpus_files(w.left_out, "speech.safetensors"),
        sync=lambda w: PLAN.corpus_files(w.left_out, "sync.json"),
    output:
        "results/corpus/clips/{left_out}.safetensors",
    log:
        "results/logs/corpus_clips/{left_out}.log",
    benchmark:
        "results/benchmarks/corpus_clips/{left_out}@shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    resources:
        mem_mb=grows(4000),
        runtime=grows(30),
    params:
        clips=lambda w: list(PLAN.corpus_without(w.left_out)),
        people=lambda w: list(PLAN.corpus_without(w.left_out).values()),
        code=stage_code("corpus_clips"),
    shell:
        "python -m emotag.stages.corpus_clips --clips {params.clips} --people {params.people}"
        " --tracks {input.tracks:q} --action-units {input.action_units:q} --emotion {input.emotion:q}"
        " --identity {input.identity:q} --speech {input.speech:q} --sync {input.sync:q} --curation {input.curation:q}"
        " --out {output:q} 2>&1 | tee -i {log:q}"


rule prior:
    input:
        corpus=lambda w: PLAN.priors.corpora(w.corpus, w.left_out),
        actors=actors(CONFIG),
    output:
        "results/prior/{corpus}/{left_out}/prior.safetensors",
    log:
        "results/logs/pretrain/{corpus}@{left_out}.log",
    benchmark:
        "results/benchmarks/pretrain/{corpus}@{left_out}@shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime=grows(720),
    params:
        state="results/state/pretrain/{corpus}/{left_out}",
        config=stage_config("pretrain"),
        code=stage_code("pretrain", METHOD),
    shell:
        "python -m emotag.stages.pretrain --corpus {input.corpus:q} --actors {input.actors:q} --out {output:q}"
        " --state {params.state:q} --threads {threads} --config {params.config:q} 2>&1 | tee -i {log:q}"


# What stage adapt reads of a person, of everybody whom the rendered phase sees.
RENDERED_INPUTS = {
    file.split(".")[0]: lambda w, file=file: PLAN.priors.rendered_file(w, file)
    for file in (
        "subject.safetensors",
        "identity.safetensors",
        "geometry.safetensors",
        "tracks.safetensors",
        "action_units.safetensors",
        "sync.json",
        "emotion.safetensors",
        "speech.safetensors",
        "crop.mp4",
        "alpha.mkv",
        "labels.mkv",
    )
} | {"head": PLAN.head, "curation": PLAN.curation}


rule rendered_prior:
    input:
        **RENDERED_INPUTS,
        start=PLAN.priors.first_phase,
    output:
        "results/prior/{corpus}/{left_out}/rendered.safetensors",
    log:
        "results/logs/pretrain_rendered/{corpus}@{left_out}.log",
    benchmark:
        "results/benchmarks/pretrain_rendered/{corpus}@{left_out}@shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=grows(8000),
        runtime=grows(720),
    params:
        people=lambda w: PLAN.priors.people(w),
        clips=lambda w: PLAN.priors.clips(w),
        state="results/state/pretrain_rendered/{corpus}/{left_out}",
        config=stage_config("pretrain.rendered"),
        code=stage_code("pretrain_rendered", METHOD),
    shell:
        "python -m emotag.stages.pretrain_rendered --head {input.head:q} --start {input.start:q} --names {params.people}"
        " --clips {params.clips} --curation {input.curation:q} --subject {input.subject:q} --identity {input.identity:q}"
        " --geometry {input.geometry:q} --tracks {input.tracks:q} --action-units {input.action_units:q}"
        " --sync {input.sync:q} --emotion {input.emotion:q} --speech {input.speech:q} --crop {input.crop:q}"
        " --alpha {input.alpha:q} --labels {input.labels:q} --state {params.state:q} --out {output:q}"
        " --threads {threads} --config {params.config:q} 2>&1 | tee -i {log:q}"


# The prior that comes with the project, rounded, with its card.
rule ship_prior:
    input:
        PLAN.priors.to_ship(),
    output:
        prior="results/shipped/synthetic.safetensors",
        card="results/shipped/synthetic.json",
        page="results/shipped/README.md",
    log:
        "results/logs/ship_prior/shared.log",
    benchmark:
        "results/benchmarks/ship_prior/shared.jsonl"
    conda:
        "../envs/pipeline.yaml"
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(10),
    params:
        settings=lambda w: dumps(settings_of(CONFIG), sort_keys=True),
        made_of=lambda w: dumps(training_code()),
        commit=commit_of(workflow.basedir),
        code=stage_code("ship_prior"),
    shell:
        "python -m emotag.stages.ship_prior --prior {input:q} --settings {params.settings:q} --made-of {params.made_of:q}"
        " --commit {params.commit:q} --out {output.prior:q} --out-card {output.card:q} --out-page {output.page:q}"
        " 2>&1 | tee -i {log:q}"
