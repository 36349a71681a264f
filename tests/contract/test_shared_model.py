"""Every shared model that the room exports keeps the contract of the role, over rows, images and tokens."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sharewise import share
from sharewise.base import UnknownNameError, UsageError, catalogue

MODELS = catalogue.classes("share", share.SharedModel)
TASKS = {"price": 1, "a.b[3]": 3, "type": 2}
KINDS = ("rows", "maps", "tokens")
TOLERANCE = {torch.float64: 0.0, torch.float32: 1e-5, torch.bfloat16: 0.1}

# Models whose stages must all give one shape: why.
EVEN = {"Sluice": "its heads read a mixture of all stages"}
# Models that read normalisation layers: why.
NORMED = {"TaskNormalization": "its tasks differ in their normalisation layers alone"}
# Models whose heads read one vector a row, whatever the trunk gives: why.
POOLED = {"TaskTokenDecoder": "its heads read the answers to the tasks' queries"}
# Models whose heads all give one number a row, and of which one task may cost as much as all: why.
ONE_LOGIT = {"ESMM": "its raw outputs are products of chances along a funnel"}
# Models whose trunks may differ: why.
ANY_SHAPE = {"Separate": "its networks never meet"}
# Models whose trunks may be any modules: why.
ANY_MODULE = {"HardSharing": "its trunk runs as a whole", "ESMM": "its trunk runs as a whole",
              "Separate": "its networks run as wholes", "SoftSharing": "its networks meet in a penalty alone",
              "TraceNorm": "its networks meet in a penalty alone"}
# (model, kind) that torch.export can't follow: why. A line that is no longer needed fails.
NO_EXPORT: dict[tuple[str, str], str] = {}


def needs(name: str) -> list[str]:
    """The parameters that the constructor of a model must be given."""
    return [part.name for part in inspect.signature(MODELS[name]).parameters.values() if part.default is part.empty]


def asked(*parts: str) -> list[tuple[str, str]]:
    """Every model with every one of the parts that it must be given."""
    return [(name, part) for name in sorted(MODELS) for part in parts if part in needs(name)]


class Head(nn.Module):
    """The mean over all positions, and a linear layer."""

    def __init__(self, features: share.Features, size: int) -> None:
        super().__init__()
        self.features, self.linear = features, nn.Linear(features.channels, size)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear(self.features.pool(features))


def make_trunk(kind: str, even: bool = False, normed: bool = False) -> share.Trunk:
    if kind == "rows":
        trunk = share.MLP(4, [6, 6 if even else 5])
        return normed_rows(trunk) if normed else trunk
    if kind == "maps":
        return share.ResNet(2, [4, 4 if even else 6], stride=1 if even else 2)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    return share.Transformer(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False))


def normed_rows(trunk: share.Trunk) -> share.Trunk:
    layers = [nn.Sequential(stage, nn.LayerNorm(features.channels))
              for stage, features in zip(trunk.stages, trunk.features[1:], strict=True)]
    return share.Staged(layers, torch.zeros(1, trunk.features[0].channels, dtype=next(trunk.parameters()).dtype))


def make_groups(tasks: Iterable[str]) -> list[list[list[str]]]:
    """All at the first stage; the last task parts from the others at the second."""
    *others, last = tasks or [""]
    return [[[*others, last]], [others, [last]] if others else [[last]]]


def make_inputs(kind: str, rows: int = 3, dtype: torch.dtype = torch.float32) -> Tensor:
    shape = {"rows": (4,), "maps": (2, 6, 5), "tokens": (3, 4)}[kind]
    return torch.randn(rows, *shape, generator=torch.Generator().manual_seed(1)).to(dtype)


def sizes_of(name: str, tasks: dict[str, int] = TASKS) -> dict[str, int]:
    """How many numbers the heads of a model give."""
    return dict.fromkeys(tasks, 1) if name in ONE_LOGIT else tasks


def make(name: str, kind: str = "rows", tasks: dict[str, int] = TASKS) -> share.SharedModel:
    """A model whose constructor gets the modules that it asks for."""
    torch.manual_seed(0)
    even = name in EVEN
    features = make_trunk(kind, even).features[-1]
    if name in POOLED:
        features = share.Features(features.channels)
    recipes = {
        "trunk": lambda: make_trunk(kind, even, name in NORMED),
        "trunks": lambda: {task: make_trunk(kind, even) for task in tasks},
        "experts": lambda: [make_trunk(kind) for _ in range(4)], "bases": lambda: [make_trunk(kind) for _ in range(2)],
        "nodes": lambda: [make_trunk(kind) for _ in range(2)], "groups": lambda: make_groups(tasks),
        "shared": lambda: [make_trunk(kind)], "own": lambda: {task: [make_trunk(kind)] for task in tasks},
        "heads": lambda: {task: Head(features, size) for task, size in sizes_of(name, tasks).items()}}
    model = MODELS[name](**{need: recipes[need]() for need in needs(name)})
    with torch.no_grad():  # away from starts at 0, where some ways of sharing do nothing yet
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture(params=sorted(MODELS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_each_task_gets_its_raw_output_by_name(name, kind):
    shapes = {task: raw.shape for task, raw in make(name, kind)(make_inputs(kind)).items()}
    assert shapes == {task: (3, size) for task, size in sizes_of(name).items()}


def test_rows_may_have_axes_before_them(name):
    model = make(name)
    both = model(torch.stack([make_inputs("rows"), 2 * make_inputs("rows")]))
    second = model(2 * make_inputs("rows"))
    for task, size in sizes_of(name).items():
        assert both[task].shape == (2, 3, size)
        torch.testing.assert_close(both[task][1], second[task])


def test_a_row_does_not_depend_on_the_others(name, kind):
    model, inputs = make(name, kind).train(), make_inputs(kind)
    whole, part = model(inputs), model(inputs[:1])
    for task in TASKS:
        torch.testing.assert_close(whole[task][:1], part[task])


def test_shared_and_task_parameters_are_a_partition_of_all(name, kind):
    model = make(name, kind)
    parts = [id(p) for p in model.shared_parameters()]
    parts += [id(p) for task in model.tasks for p in model.task_parameters(task)]
    assert sorted(parts) == sorted(id(p) for p in model.parameters())


def test_whose_a_parameter_is_agrees_with_what_depends_on_it(name, kind):
    model = make(name, kind)
    users = {id(p): set() for p in model.parameters() if p.requires_grad}
    outputs = model(make_inputs(kind))
    for task in TASKS:
        model.zero_grad()
        outputs[task].sum().backward(retain_graph=True)
        for parameter in model.parameters():
            if parameter.grad is not None:
                users[id(parameter)].add(task)
    for task in TASKS:
        assert all(users[id(p)] == {task} for p in model.task_parameters(task))
    assert all(len(users[id(p)]) > 1 for p in model.shared_parameters() if p.requires_grad)


def test_asked_for_some_tasks_in_any_order_it_computes_only_what_they_need(name, kind):
    model, inputs = make(name, kind), make_inputs(kind)
    whole, back, ran = model(inputs), model(inputs, tasks=list(reversed(TASKS))), []
    for module in model.own_modules("type"):
        for part in module.modules():
            part.register_forward_hook(lambda *_: ran.append("type"))
    outputs, alone = model(inputs, tasks=["a.b[3]", "price"]), model(inputs, tasks=["price"])
    assert list(outputs) == ["a.b[3]", "price"] and list(alone) == ["price"] and list(back) == list(reversed(TASKS))
    assert ran == []
    for task, raw in [*outputs.items(), *alone.items(), *back.items()]:
        torch.testing.assert_close(raw, whole[task])


@pytest.mark.parametrize("optimizer", [partial(torch.optim.SGD, momentum=0.9, weight_decay=0.1),
                                       partial(torch.optim.Adam, amsgrad=True), torch.optim.AdamW])
def test_a_task_that_a_batch_does_not_hold_stays_as_it_is_momentum_and_decay_or_not(name, kind, optimizer):
    model, inputs = make(name, kind), make_inputs(kind)
    optimizer = optimizer(model.parameters(), lr=0.1)
    for present in (list(TASKS), ["price", "type"]):
        before = [p.detach().clone() for p in model.task_parameters("a.b[3]")]
        optimizer.zero_grad()
        sum(raw.square().sum() for raw in model(inputs, tasks=present).values()).backward()
        optimizer.step()
    after = list(model.task_parameters("a.b[3]"))
    assert all(p.grad is None and torch.equal(p, old) for p, old in zip(after, before, strict=True))
    assert all(p.grad is not None for p in model.task_parameters("price"))


@pytest.mark.parametrize(("name", "part"), asked("trunks", "own"))
def test_parts_are_told_apart_by_name_and_not_by_place(name, part):
    parts = {"trunks": {task: share.MLP(4, [6, 6]) for task in TASKS}, "shared": [share.MLP(4, [6, 6])],
             "own": {task: [share.MLP(4, [6, 6])] for task in TASKS}, "groups": make_groups(TASKS)}
    other = parts | {part: dict(reversed(parts[part].items()))}
    outputs = []
    for given in (parts, other):
        torch.manual_seed(0)  # gates
        given["heads"] = {task: nn.Linear(6, 1, bias=False) for task in TASKS}
        outputs.append(MODELS[name](**{need: given[need] for need in needs(name)})(make_inputs("rows")))
    assert all(torch.equal(outputs[0][task], outputs[1][task]) for task in TASKS)


class Reads(TorchDispatchMode):
    """Keeps the storage of every tensor that an operation reads; a view reads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.storages: set[int] = set()

    def __torch_dispatch__(self, function, types, args=(), options=None):
        views = any(given.alias_info is not None and not given.alias_info.is_write
                    for given in function._schema.returns)
        if not views:
            self.storages |= {tensor.untyped_storage().data_ptr() for tensor in tree_leaves((args, options))
                              if isinstance(tensor, Tensor)}
        return function(*args, **(options or {}))


def check_reads(model: share.SharedModel, run) -> None:
    """Every parameter that ``run`` reads has a say in what it gives."""
    with Reads() as reads:
        outputs = run()
    sum(raw.sum() for raw in outputs.values()).backward()
    read = {name for name, part in model.named_parameters() if part.untyped_storage().data_ptr() in reads.storages}
    used = {name for name, part in model.named_parameters() if part.grad is not None or not part.requires_grad}
    assert read <= used and any(part.grad is not None for part in model.parameters())


@pytest.mark.parametrize("asked", [["price"], ["type", "price"]])
def test_what_only_other_tasks_need_is_not_even_read(name, kind, asked):
    model, inputs = make(name, kind), make_inputs(kind)
    check_reads(model, lambda: model(inputs, asked))


@pytest.mark.parametrize("present", [["price"], ["type", "price"]])
def test_tasks_with_rows_and_encoders_of_their_own_run_what_a_batch_needs(name, present):
    model = share.multi_source(make(name), {task: nn.Linear(2, 4) for task in ("price", "type")})
    inputs = {"price": torch.randn(5, 2), "type": torch.randn(3, 2)}
    raws = model({task: inputs[task] for task in present})
    assert {task: len(raw) for task, raw in raws.items()} == {task: len(inputs[task]) for task in present}
    check_reads(model, lambda: model({task: inputs[task] for task in present}))


@pytest.mark.parametrize("brings", ["a head", "a model"])
def test_a_task_that_joins_later_changes_no_old_prediction_or_is_refused(name, kind, brings):
    model, inputs = make(name, kind), make_inputs(kind)
    with torch.no_grad():  # where gradients are kept, some layers round otherwise
        before = model.eval()(inputs)
    if brings == "a head" and not isinstance(model, share.OneTrunk):
        with pytest.raises(UsageError, match="no representation that belongs to all tasks"):
            share.add_task(model, "new", nn.Linear(6, 1))
        return
    head = Head(make_trunk(kind, name in EVEN).features[-1], 2) if brings == "a head" else \
        share.HardSharing(make_trunk(kind), {"new": Head(make_trunk(kind).features[-1], 2)})
    larger = share.add_task(model, "new", head).train()
    optimizer = torch.optim.AdamW(larger.parameters(), lr=0.1, weight_decay=0.1)
    sum(raw.square().sum() for raw in larger(inputs).values()).backward()
    optimizer.step()
    with torch.no_grad():
        after = larger(inputs)
    assert after["new"].shape == (3, 2)
    assert all(torch.equal(after[task], raw) for task, raw in before.items())


def test_one_task_is_enough_and_none_is_an_error(name, kind):
    assert make(name, kind, {"only": 1})(make_inputs(kind))["only"].shape == (3, 1)
    with pytest.raises(UsageError):
        make(name, kind, {})


def test_state_goes_through_state_dict_to_the_bit(name, kind):
    model, other = make(name, kind), make(name, kind)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    other.load_state_dict(model.state_dict())
    for task, raw in model(make_inputs(kind)).items():
        assert torch.equal(raw, other(make_inputs(kind))[task])


def test_a_copy_gives_the_same_and_is_apart(name):
    model = make(name)
    copy, before = deepcopy(model), model(make_inputs("rows"))
    with torch.no_grad():
        for parameter in copy.parameters():
            parameter.zero_()
    after = model(make_inputs("rows"))
    assert all(torch.equal(before[task], after[task]) for task in TASKS)


def test_it_works_in_single_double_and_half_precision(name, kind):
    model = make(name, kind).double()
    exact = model(make_inputs(kind, dtype=torch.float64))
    for dtype, tolerance in TOLERANCE.items():  # from the most exact one on, as parameters are rounded on the way
        for task, raw in model.to(dtype)(make_inputs(kind, dtype=dtype)).items():
            assert raw.dtype == dtype
            torch.testing.assert_close(raw.double(), exact[task], rtol=tolerance, atol=tolerance)


def test_a_model_built_from_parts_in_double_precision_is_in_double_precision(name):
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    parts = good_parts(name)
    torch.set_default_dtype(before)
    model = MODELS[name](**{need: parts[need] for need in needs(name)})
    assert {p.dtype for p in model.parameters()} == {torch.float64}


def test_the_penalty_is_a_number_from_0_on_with_a_slope(name, kind):
    model = make(name, kind)
    penalty = model.penalty()
    assert penalty.shape == () and penalty.isfinite() and penalty >= 0
    penalty.backward()


def test_what_it_costs_can_be_told(name):
    model = make(name).train()
    cost = share.describe(model, make_inputs("rows"))
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    assert set(cost.own_parameters) == set(cost.task_multiply_adds) == set(TASKS)
    assert cost.multiply_adds <= sum(cost.task_multiply_adds.values())
    assert (max(cost.task_multiply_adds.values()) < cost.multiply_adds) != (name in ONE_LOGIT)
    assert model.training


def export_cases() -> list[object]:
    """Every model over rows, and over all kinds the slow ones."""
    cases = [(name, kind) for name in sorted(MODELS) for kind in KINDS]
    marks = {case: [pytest.mark.slow] if case[1] != "rows" else [] for case in cases}
    for case, reason in NO_EXPORT.items():
        marks[case].append(pytest.mark.xfail(strict=True, reason=reason))
    return [pytest.param(*case, marks=marks[case], id="-".join(case)) for case in cases]


@pytest.mark.parametrize(("name", "kind"), export_cases())
def test_it_can_be_exported(name, kind):
    model, inputs = make(name, kind).eval(), make_inputs(kind)
    exported = torch.export.export(model, (inputs,)).module()(inputs)
    for task, raw in model(inputs).items():
        torch.testing.assert_close(exported[task], raw)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter warns of its own parts
def test_it_gives_the_same_in_onnx_runtime(name, kind):
    pytest.importorskip("onnxscript", reason="needs pip install 'sharewise[onnx]'")
    runtime = pytest.importorskip("onnxruntime", reason="needs pip install 'sharewise[onnx]'")
    model, inputs = make(name, kind).eval(), make_inputs(kind)
    graph = torch.onnx.export(model, (inputs,), dynamo=True, verbose=False).model_proto.SerializeToString()
    session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: inputs.numpy()})
    for raw, one in zip(model(inputs).values(), found, strict=True):
        torch.testing.assert_close(torch.from_numpy(one), raw.detach(), rtol=1e-4, atol=1e-5)


def test_an_unknown_task_is_an_error_with_the_near_name(name):
    with pytest.raises(UnknownNameError, match="price"):
        list(make(name).task_parameters("prize"))
    with pytest.raises(UnknownNameError, match="price"):
        make(name)(make_inputs("rows"), tasks=["prize"])
    with pytest.raises(UsageError, match="twice"):
        make(name)(make_inputs("rows"), tasks=["price", "price"])


def good_parts(name: str) -> dict[str, object]:
    """Every part that the constructor of a model may ask for, over rows."""
    trunk = share.MLP(4, [6, 6])
    several = {"trunks": share.MLP, "heads": lambda *_: nn.Linear(6, 1)}
    return {part: {task: build(4, [6, 6]) for task in TASKS} for part, build in several.items()} | {
        "trunk": normed_rows(trunk) if name in NORMED else trunk, "experts": [share.MLP(4, [6, 6]) for _ in range(2)],
        "bases": [share.MLP(4, [6, 6])], "nodes": [share.MLP(4, [6, 6])], "groups": make_groups(TASKS),
        "shared": [share.MLP(4, [6, 6])],
        "own": {task: [share.MLP(4, [6, 6])] for task in TASKS}}


def test_one_module_in_two_places_is_refused(name):
    trunk, head = share.MLP(4, [6, 6]), nn.Linear(6, 1)
    bad = {"trunks": dict.fromkeys(TASKS, trunk), "experts": [trunk, trunk], "shared": [trunk, trunk],
           "bases": [trunk, trunk], "nodes": [trunk, trunk], "own": {task: [trunk] for task in TASKS},
           "heads": dict.fromkeys(TASKS, head)}
    for wrong in set(needs(name)) & set(bad):
        parts = good_parts(name) | {wrong: bad[wrong]}
        with pytest.raises(UsageError, match="has a parameter of"):
            MODELS[name](**{need: parts[need] for need in needs(name)})


@pytest.mark.parametrize("deep", [False, True])
def test_a_head_that_can_not_read_what_is_below_it_is_refused(name, deep):
    wrong = nn.Sequential(nn.Sequential(nn.Linear(5, 2)), nn.Linear(2, 1)) if deep else nn.Linear(5, 1)
    parts = good_parts(name)
    parts["heads"] = parts["heads"] | {"type": wrong}
    with pytest.raises(UsageError, match=r"heads\['type'\] reads 5 numbers; it must read the 6 channels"):
        MODELS[name](**{need: parts[need] for need in needs(name)})


@pytest.mark.parametrize(("name", "part"), asked("trunks", "own"))
def test_every_head_needs_its_parts(name, part):
    parts = good_parts(name) | {"heads": {"b": nn.Linear(6, 1)}}
    with pytest.raises(UsageError, match="must name the same tasks"):
        MODELS[name](**{need: parts[need] for need in needs(name)})


@pytest.mark.parametrize(("name", "part"), [
    case for case in asked("trunks", "experts", "bases", "nodes", "shared", "own") if case[0] not in ANY_SHAPE])
def test_trunks_of_different_shape_are_refused(name, part):
    parts = good_parts(name)
    other = share.MLP(4, [7, 6])
    odd = {"experts": [share.MLP(4, [6, 6]), other], "bases": [share.MLP(4, [6, 6]), other],
           "nodes": [share.MLP(4, [6, 6]), other], "shared": [other],
           "trunks": {**parts["trunks"], "type": other}, "own": {**parts["own"], "type": [other]}}
    parts |= {part: odd[part]}
    with pytest.raises(UsageError, match=r"it must have those of|must be equal"):
        MODELS[name](**{need: parts[need] for need in needs(name)})


def refuses(name: str, says: str, options: Mapping[str, object] = MappingProxyType({}), **wrong: object) -> None:
    parts = good_parts(name) | wrong
    with pytest.raises(UsageError, match=says):
        MODELS[name](**{need: parts[need] for need in needs(name)}, **options)


def check_what_is_no_part_is_refused() -> None:
    """Heads without names, a head that is None, networks whose stages nobody knows. Here types are checked at every
    call; users' are not, so this runs in a process of its own."""
    plain = lambda: nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 6))  # noqa: E731
    wrong = {"trunk": plain(), "trunks": {task: plain() for task in TASKS}, "shared": [plain()],
             "own": {task: [plain()] for task in TASKS}}
    wrong |= {many: [plain(), plain()] for many in ("experts", "bases", "nodes")}
    for name in MODELS:
        pairs = [("price", nn.Linear(6, 1)), ("price", nn.Linear(6, 1))]
        refuses(name, "must be a dict from tasks to modules. Name each task once", heads=pairs)
        refuses(name, r"heads\['type'\] is None; it must be a module",
                heads=good_parts(name)["heads"] | {"type": None})
        for part in sorted(set(needs(name)) & set(wrong)):
            if name in ANY_MODULE:
                parts = good_parts(name) | {part: wrong[part]}
                model = MODELS[name](**{need: parts[need] for need in needs(name)})
                assert set(model(make_inputs("rows"))) == set(TASKS)
            else:
                refuses(name, "is a Sequential; it must be a share.Trunk", **{part: wrong[part]})


def test_what_is_no_part_is_refused():
    code = "import test_shared_model as here; here.check_what_is_no_part_is_refused()"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)


class Forgetful(share.MLP):
    """It does not know what its last stage gives."""

    @property
    def features(self) -> tuple[share.Features, ...]:
        return super().features[:-1]


@pytest.mark.parametrize(("name", "part"), [case for case in asked("trunk", "trunks", "experts", "bases", "nodes")
                                            if case[0] not in ANY_MODULE])
def test_stages_and_what_they_give_must_be_as_many(name, part):
    make_one = partial(Forgetful, 4, [6, 6])
    wrong = {"trunk": make_one(), "trunks": {task: make_one() for task in TASKS}}
    refuses(name, "has 2 stages and 2 features", **{part: wrong.get(part, [make_one(), make_one()])})


@pytest.mark.parametrize(("name", "part"), asked("experts", "bases", "nodes", "own"))
def test_less_than_one_expert_basis_or_node_is_refused(name, part):
    wrong = {"own": {task: [] for task in TASKS}, "shared": []} if part == "own" else {part: []}
    refuses(name, "is empty|must be one|at least one", **wrong)


def numbers() -> list[tuple[str, str, float]]:
    """Every number that a model may be given, and one that is out of its range."""
    found = []
    for name, kind in MODELS.items():
        for option, one in inspect.signature(kind).parameters.items():
            if isinstance(one.default, (int, float)):
                found += [(name, option, -1)]
                found += [] if option == "seed" else [(name, option, 0 if isinstance(one.default, int) else math.nan)]
    return found


@pytest.mark.parametrize(("name", "option", "value"), numbers())
def test_numbers_out_of_range_are_refused(name, option, value):
    refuses(name, f"{option} is {value}; it must be a", {option: value})
