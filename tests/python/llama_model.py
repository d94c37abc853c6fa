"""Writes models for llama.cpp that have everything but knowledge: random weights, the same each time.

    python llama_model.py FOLDER

`noise.gguf` can be made to call tools by `logit_bias`; `plain.gguf` does not, and may be left free to, which the server
refuses to a model with a token of its own for the begin of a call.

The llama architecture with two small layers, a vocabulary of single bytes, and a chat template that offers tools as
Qwen's does. What it says is noise; how a server takes a request, streams, counts and calls tools is all there.
"""

import sys
from pathlib import Path

import gguf
import numpy

SEED = 20_261_125
LAYERS = 2
WIDTH = 32
HEADS = 2
INNER = 64
# Dragoman's prompt and tools are some ten thousand bytes, and a token is a byte.
CONTEXT = 32_768
VOCABULARY = 384

UNKNOWN, BEGIN, END, MESSAGE_BEGIN, MESSAGE_END = range(5)
# After those come all bytes, then what is printable in ASCII, each as a token.
FIRST_BYTE = 5
FIRST_LETTER = FIRST_BYTE + 256
LETTERS = [chr(code) for code in range(0x20, 0x7F)]
TOOL_CALL = FIRST_LETTER + len(LETTERS)

TEMPLATE = """\
{%- if tools %}{{- '<|im_start|>system\\n' }}
{%- if messages[0]['role'] == 'system' %}{{- messages[0]['content'] + '\\n\\n' }}{%- endif %}
{{- "# Tools\\n\\nYou may call one or more functions.\\n\\n<tools>" }}
{%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}
{{- "\\n</tools>\\n\\nFor each call, return a json object with name and arguments within <tool_call></tool_call>:\\n" }}
{{- "<tool_call>\\n{\\"name\\": <name>, \\"arguments\\": <arguments>}\\n</tool_call><|im_end|>\\n" }}
{%- elif messages[0]['role'] == 'system' %}
{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}{{- '<|im_start|>user\\n' + message.content + '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' %}{{- '<|im_start|>assistant\\n' }}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}
{{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- call.function.arguments | tojson }}{{- '}\\n</tool_call>' }}
{%- endfor %}{{- '<|im_end|>\\n' }}
{%- elif message.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
{%- endif %}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""


def vocabulary(calls_tools: bool) -> tuple[list[bytes], list[float], list[int]]:
    """Tokens, how gladly each is used, and what each is."""
    kind = gguf.TokenType
    tokens = [("<unk>", kind.UNKNOWN)]
    tokens += [(name, kind.CONTROL) for name in ("<s>", "</s>", "<|im_start|>", "<|im_end|>")]
    tokens += [(f"<0x{byte:02X}>", kind.BYTE) for byte in range(256)]
    # What SentencePiece writes for a space.
    tokens += [("\u2581" if letter == " " else letter, kind.NORMAL) for letter in LETTERS]
    if calls_tools:
        tokens += [("<tool_call>\n", kind.USER_DEFINED)]
    tokens += [(f"<unused{number}>", kind.UNUSED) for number in range(VOCABULARY - len(tokens))]
    return [text.encode() for text, _ in tokens], [0.0] * len(tokens), [int(kind) for _, kind in tokens]


def write(path: Path, calls_tools: bool) -> None:
    """Writes a model."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("noise")
    writer.add_vocab_size(VOCABULARY)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)

    tokens, scores, kinds = vocabulary(calls_tools)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(MESSAGE_END)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    # Without it the server cannot write grammars over this vocabulary.
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)

    random = numpy.random.Generator(numpy.random.PCG64(SEED))

    def weights(*shape: int) -> numpy.ndarray:
        return (random.standard_normal(shape) * 0.5).astype(numpy.float32)

    def ones() -> numpy.ndarray:
        return numpy.ones(WIDTH, dtype=numpy.float32)

    writer.add_tensor("token_embd.weight", weights(VOCABULARY, WIDTH))
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        writer.add_tensor(f"{block}.attn_norm.weight", ones())
        for part in ("q", "k", "v", "output"):
            writer.add_tensor(f"{block}.attn_{part}.weight", weights(WIDTH, WIDTH))
        writer.add_tensor(f"{block}.ffn_norm.weight", ones())
        writer.add_tensor(f"{block}.ffn_gate.weight", weights(INNER, WIDTH))
        writer.add_tensor(f"{block}.ffn_up.weight", weights(INNER, WIDTH))
        writer.add_tensor(f"{block}.ffn_down.weight", weights(WIDTH, INNER))
    writer.add_tensor("output_norm.weight", ones())
    output = weights(VOCABULARY, WIDTH)
    # It hardly ever stops by chance.
    output[[END, MESSAGE_END]] = 0
    writer.add_tensor("output.weight", output)

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write(folder / "noise.gguf", calls_tools=True)
    write(folder / "plain.gguf", calls_tools=False)
