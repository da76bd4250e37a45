"""The names that files of generators have, and what each becomes. No other name is read.

Where each comes from: NVIDIA's persistence and EasyDict (stylegan2-ada-pytorch, stylegan3) and its
TensorFlow networks (stylegan2), torch's tensors since 0.4, numpy 1 and 2, training checkpoints with
an argparse.Namespace (rosinality and what descends from it), and Python's own containers as the six
pickle protocols write them; and what training scripts keep beside their networks.
"""

from __future__ import annotations

from regen.unpickling import arrays, containers, tensors
from regen.unpickling.values import PERSISTENT, Constructor, Global

_NETWORKS: dict[str, Constructor] = {
    PERSISTENT: containers.persistent,
    "dnnlib.EasyDict": containers.mapping,
    "dnnlib.util.EasyDict": containers.mapping,
    "dnnlib.tflib.network.Network": containers.inert,
    "argparse.Namespace": containers.inert,
}
_TORCH: dict[str, Constructor] = {
    "torch.storage._load_from_bytes": tensors.nested_storage,
    "torch._utils._rebuild_tensor": tensors.tensor,
    "torch._utils._rebuild_tensor_v2": tensors.tensor,
    "torch._utils._rebuild_tensor_v3": tensors.tensor,
    "torch._utils._rebuild_parameter": tensors.parameter,
    "torch._utils._rebuild_parameter_with_state": tensors.parameter,
    "torch._tensor._rebuild_from_type_v2": tensors.subclassed,
    "torch.nn.parameter.Parameter": tensors.parameter_of,
    "torch.nn.parameter.Buffer": tensors.parameter_of,
    "torch.Size": tensors.size,
    "torch.Tensor": containers.uncalled,
    "torch.device": containers.inert,
    "torch.serialization._get_layout": containers.inert,
    **{f"torch.{name}": containers.uncalled for name in tensors.STORAGE_DTYPES},
    **{f"torch.cuda.{name}": containers.uncalled for name in tensors.STORAGE_DTYPES},
    **{f"torch.storage.{name}": containers.uncalled for name in tensors.STORAGE_DTYPES},
    **{
        f"torch.{layout}": containers.uncalled
        for layout in ("strided", "contiguous_format", "channels_last", "preserve_format")
    },
}
# What training scripts keep beside the networks: settings, schedules, times.
_BESIDE: dict[str, Constructor] = {
    "easydict.EasyDict": containers.mapping,
    "addict.addict.Dict": containers.mapping,
    "munch.Munch": containers.mapping,
    "yacs.config.CfgNode": containers.mapping,
    "collections.Counter": containers.mapping,
    "collections.deque": containers.queue,
    "torch.torch_version.TorchVersion": containers.inert,
    "types.SimpleNamespace": containers.inert,
    "decimal.Decimal": containers.inert,
    "fractions.Fraction": containers.inert,
    "uuid.UUID": containers.inert,
    "uuid.SafeUUID": containers.inert,
    "zoneinfo.ZoneInfo._unpickle": containers.inert,
    "pytz._UTC": containers.inert,
    "pytz._p": containers.inert,
    **{
        f"datetime.{name}": containers.inert
        for name in ("date", "datetime", "time", "timedelta", "timezone")
    },
}
# A network may have been wrapped for several GPUs.
_WRAPPERS: dict[str, Constructor] = {
    "torch.nn.parallel.data_parallel.DataParallel": containers.inert,
    "torch.nn.parallel.distributed.DistributedDataParallel": containers.inert,
}
# A persistent object may have such among its children.
_MODULES = {
    "activation": "ELU GELU LeakyReLU PReLU ReLU SiLU Sigmoid Softmax Softplus Tanh",
    "batchnorm": "BatchNorm1d BatchNorm2d",
    "container": "ModuleDict ModuleList ParameterDict ParameterList Sequential",
    "conv": "Conv1d Conv2d ConvTranspose2d",
    "dropout": "Dropout Dropout2d",
    "flatten": "Flatten Unflatten",
    "instancenorm": "InstanceNorm2d",
    "linear": "Identity Linear",
    "normalization": "GroupNorm LayerNorm",
    "padding": "ReflectionPad2d ReplicationPad2d ZeroPad2d",
    "pooling": "AdaptiveAvgPool2d AvgPool2d MaxPool2d",
    "sparse": "Embedding",
    "upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
}
_NUMPY: dict[str, Constructor] = {
    "numpy.dtype": arrays.dtype,
    "numpy.ndarray": containers.uncalled,
    **{f"numpy.{name}": containers.uncalled for name in arrays.NUMBERS},
}
for _core in ("numpy.core", "numpy._core"):  # numpy 1, numpy 2
    _NUMPY[f"{_core}.multiarray._reconstruct"] = arrays.pending_array
    _NUMPY[f"{_core}.multiarray.scalar"] = arrays.scalar
    _NUMPY[f"{_core}.numeric._frombuffer"] = arrays.array_from_buffer

_PYTHON: dict[str, Constructor] = {
    "collections.OrderedDict": containers.mapping,
    "collections.defaultdict": containers.mapping,
    "_codecs.encode": containers.text_as_bytes,
    "pathlib.Path": containers.inert,
    "pathlib.PosixPath": containers.inert,
    "pathlib.PurePosixPath": containers.inert,
    "pathlib.WindowsPath": containers.inert,
    "pathlib._local.PosixPath": containers.inert,
    "pathlib._local.WindowsPath": containers.inert,
}
for _builtins in ("builtins", "__builtin__"):  # Python 3, Python 2
    for _name in ("range", "xrange", "slice"):
        _PYTHON[f"{_builtins}.{_name}"] = containers.inert
    for _name in ("bool", "float", "int", "object", "str"):
        _PYTHON[f"{_builtins}.{_name}"] = containers.uncalled
    for _name in ("frozenset", "list", "set", "tuple"):
        _PYTHON[f"{_builtins}.{_name}"] = containers.collection
    for _name in ("bytearray", "bytes"):
        _PYTHON[f"{_builtins}.{_name}"] = containers.byte_string
    _PYTHON[f"{_builtins}.dict"] = containers.mapping
    _PYTHON[f"{_builtins}.complex"] = containers.complex_number
for _copying in ("copyreg", "copy_reg"):
    _PYTHON[f"{_copying}._reconstructor"] = containers.reconstructor

_CONSTRUCTORS = {
    **_NETWORKS,
    **_TORCH,
    **{
        f"torch.nn.modules.{module}.{name}": containers.inert
        for module, names in _MODULES.items()
        for name in names.split()
    },
    **_NUMPY,
    **_PYTHON,
    **_BESIDE,
    **_WRAPPERS,
}
_GLOBALS = {name: Global(name, construct=how) for name, how in _CONSTRUCTORS.items()}
_VALUES = {f"torch.{name}": dtype for name, dtype in tensors.DTYPES.items()}


def known(name: str) -> object:
    """The stand-in for a name (a `Global`, or a torch.dtype), or None if it is not known.

    >>> known("torch.float16"), known("os.system")
    (torch.float16, None)
    """
    return _GLOBALS.get(name) or _VALUES.get(name)
