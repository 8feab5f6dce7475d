"""The demo as a Gradio app: components, and which function answers which event.

Only this file and `serve` know Gradio. Every answer is computed by `state` and written
by `page`; an upload that cannot be read leaves what was shown before as it is.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from qpm_jax.datasets.image_files import resize
from qpm_jax.demo import page, state
from qpm_jax.demo.examples import Example
from qpm_jax.demo.uploads import read_upload
from qpm_jax.explain.local_maps import shown_size
from qpm_jax.explain.markup import signed
from qpm_jax.run import Run

if TYPE_CHECKING:
    import gradio

_THUMBNAIL = 160
_KEPT = 600  # seconds after which uploaded files are deleted
_WELCOME = (
    '<p class="qpm empty">What the model says of your photo will appear here.</p>'
)


def build(run: Run, examples: Sequence[Example] = ()) -> "gradio.Blocks":
    """Returns the app of a run.

    Args:
      run: The trained run that answers.
      examples: Images offered beside the upload.
    """
    import gradio as gr

    with gr.Blocks(
        title="QPM demo", analytics_enabled=False, delete_cache=(_KEPT, _KEPT)
    ) as app:
        session = gr.State(None)
        gr.HTML(page.header(run))
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                photo = gr.File(
                    label="Photo", file_types=["image"], height=150, elem_id="photo"
                )
                gallery = _gallery(gr, examples)
            with gr.Column(scale=8, min_width=320):
                message = gr.HTML(visible=False, elem_id="message")
                verdict = gr.HTML(_WELCOME, elem_id="verdict")
        with gr.Column(visible=False) as details:
            gr.HTML(_title("Against another class"))
            against = gr.Dropdown(label="Compare with", elem_id="against")
            contrast = gr.HTML(elem_id="contrast")
            gr.HTML(_title("Without a feature"))
            kept = gr.CheckboxGroup(label="Features that count", elem_id="kept")
            switches = gr.HTML(elem_id="switches")
        chosen = [against, contrast, kept, switches]
        shown = [session, photo, message, verdict, details, *chosen]
        photo.upload(_uploaded(run), photo, shown, api_visibility="private")
        if gallery is not None:
            gallery.select(
                _exemplified(run, examples), None, shown, api_visibility="private"
            )
        against.input(
            _compared(run),
            [session, against],
            [session, *chosen[1:]],
            api_visibility="private",
        )
        kept.input(
            _kept(run), [session, kept], [session, switches], api_visibility="private"
        )
    return app


def _title(words: str) -> str:
    return f'<div class="qpm section-title"><h2>{words}</h2></div>'


def _gallery(gr: Any, examples: Sequence[Example]) -> Any:
    if not examples:
        return None
    thumbnails = [
        resize(
            example.image,
            shown_size(example.image.shape[:2], (1, 1), "stretch", _THUMBNAIL),
        )
        for example in examples
    ]
    return gr.Gallery(
        thumbnails,
        label="Or one of the test images",
        columns=4,
        height="auto",
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="examples",
    )


def _opened(
    run: Run, session: state.Session, notes: Sequence[str] = (), truth: str = ""
) -> list[Any]:
    """What a new photo changes on the page."""
    import gradio as gr

    predicted = state.explanation(run, session).predicted.label
    several = len(run.class_names) > 1
    classes = [
        (run.class_names[label], label) for label in state.other_classes(run, session)
    ]
    against = gr.Dropdown(
        choices=classes,
        value=session.against,
        label=f"Compare {run.class_names[predicted]} with",
        visible=several,
    )
    return [
        session,
        None,
        gr.HTML(visible=False),
        page.verdict(run, session, notes, truth),
        gr.Column(visible=True),
        against,
        page.contrast(run, session),
        _switches(run, session),
        page.switches(run, session),
    ]


def _switches(run: Run, session: state.Session) -> Any:
    import gradio as gr

    features = state.listed(run, session)
    choices = [
        (f"{run.feature_names[f]} {signed(session.look.features[f])}", f)
        for f in features
    ]
    on = [f for f in features if f not in session.off]
    return gr.CheckboxGroup(choices=choices, value=on)


def _refused(message: str) -> list[Any]:
    """Shows the message; the field is emptied and the rest stays as it was."""
    import gradio as gr

    shown = gr.HTML(page.problem(message), visible=True)
    return [gr.skip(), None, shown, *[gr.skip()] * 6]


def _uploaded(run: Run) -> Callable[[str | None], list[Any]]:
    def answer(path: str | None) -> list[Any]:
        try:
            upload = read_upload(path, run.image_size)
        except ValueError as error:
            return _refused(str(error))
        session = state.open_session(run, run.look(upload.image))
        return _opened(run, session, upload.notes)

    return answer


def _exemplified(run: Run, examples: Sequence[Example]) -> Callable[..., list[Any]]:
    import gradio as gr

    def answer(event: gr.SelectData) -> list[Any]:
        example = examples[int(event.index)]
        session = state.open_session(run, run.look(example.image))
        return _opened(run, session, truth=example.class_name)

    return answer


def _compared(run: Run) -> Callable[..., list[Any]]:
    def answer(session: state.Session, against: int) -> list[Any]:
        session = state.compare_with(run, session, against)
        return [
            session,
            page.contrast(run, session),
            _switches(run, session),
            page.switches(run, session),
        ]

    return answer


def _kept(run: Run) -> Callable[..., list[Any]]:
    def answer(session: state.Session, kept: list[int]) -> list[Any]:
        session = state.keep(run, session, kept)
        return [session, page.switches(run, session)]

    return answer
