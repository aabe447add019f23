"""What to say where the package of an adapter is not installed."""

from vasa_jax.errors import UserError


def missing(error: ImportError, extra: str) -> UserError:
    """Return the sentence for whoever imports an adapter without its package."""
    return UserError(
        f'{error.name} is not installed; run `pip install "vasa_jax[{extra}]"`.'
    )
