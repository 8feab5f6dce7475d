"""A page to try a trained run on: upload a photo, read why, switch features off.

`state` holds what a visitor has chosen, `page` writes it as HTML, `uploads` reads what
comes in, `examples` offers images of the test split; all of them are pure functions.
`layout` puts them into a Gradio app and `serve` runs it; only these two need the extra
`demo`.
"""
