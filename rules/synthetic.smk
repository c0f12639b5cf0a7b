# What is made by code from the CC0 head and the shipped voices: the demo's talker and the default corpus of the prior.
VOICES = sorted(
    str(path)
    for path in Path("data/voices").glob("*")
    if path.suffix in (".ogg", ".json")
)


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
