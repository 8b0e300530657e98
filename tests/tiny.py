"""What makes a study of networks tiny: as `--set` takes it, and as words of a command."""

TINY = (
    "base.network={filters: 4, mlp_filters: 8, class_dim: 6, class_downs: 2, content_downs: 2}",
    "base.network.d_filters=4",
    "base.network.d_blocks=4",
    "base.image_size=16",
    "base.batch_size=2",
    "base.steps=6",
    "base.eval_every=3",
    "base.eval_pairs=4",
    "base.checkpoint=null",
    "base.data={classes: 4, test_classes: 3, contents: 8}",
    "base.metrics=[mixed_l1, short_l1, long_l1]",
)
TWO_STEPS = (*TINY, "base.steps=2", "base.eval_every=1", "base.eval_pairs=2")


def words_of(values: tuple[str, ...]) -> list[str]:
    """The same as words of a command."""
    return [word for value in values for word in ("--set", value)]
