"""The inventory of what the package offers: a name cannot vanish, or appear, without this list."""

import importlib
import inspect
import re
import subprocess
import sys

import pytest

import kmaskrcnn
from tests.floors import ROOT

INVENTORY = {
    "kmaskrcnn": "Augmentation DataError Detections MaskRCNN MaskRCNNConfig NonFiniteLossError "
    "OutOfMemoryError TrainingProgress ValidationPictures data evaluation "
    "find_learning_rate layers load ops preset_names report",
    "kmaskrcnn.data": "Broken DataCheck DataError Dataset InferenceBatch InputSize Inspection "
    "Instance Order Origin OwnPolicy Policy Problem Report Sample ShapesDataset Subset Transformed "
    "align augmentation_sheet batches check clear_errors concatenate find_broken find_data_error "
    "from_arrays from_generator image_sources "
    "inference_batches inspect joint_batch load map points_to_original prepare_image read_image "
    "rename_classes repeat_factor select_classes split to_original without_broken write",
    "kmaskrcnn.evaluation": "Analysis Evaluator Matches analyse confusion_matrix draw_sample "
    "evaluate_coco match prediction_sheet showcase",
    "kmaskrcnn.report": "Report best_epoch read_history save_curves save_report",
    "kmaskrcnn.data.inspection": "AnchorAdvice AnchorFit Duplicates Inspection Problem SizeAdvice "
    "SizeChoice inspect",
    "kmaskrcnn.pages": "COLORS INK figure new_figure picture render",
    "kmaskrcnn.ops": "assign_levels roi_align roi_crop roi_pool roi_warp status",
    "kmaskrcnn.backbones": "STAGES STRIDES Backbone backbone_names build_backbone build_res5 "
    "imagenet_settings load_pretrained preprocessing stages_up_to usable_taps",
    "kmaskrcnn.layers": "AnchorGenerator AnchorSampler BoxBranch BoxHead CascadeBranch "
    "DetectionLayer FPN FrozenBatchNormalization ImageNormalization KeypointBranch KeypointHead "
    "MLPMaskHead MaskBranch MaskHead PooledRes5 ProposalLayer RPNHead RoIPooling RoISampler "
    "SingleLevel",
    "kmaskrcnn.weights": "Report assign assign_named backbone_to_ours count_classes fetch "
    "framework_of from_keras_file from_keras_resnet from_ours has_heads is_keras_file "
    "keep_known_classes load missing_names named_variables names_of problems published "
    "published_names read_arrays resolved to_ours write_arrays",
}
METHODS = {
    "MaskRCNN": "fit predict evaluate from_preset freeze unfreeze save summary get_config trace "
    "export_state parameters",
    "Detections": "filter sorted top merged draw save to_coco to_labelme to_pandas to_supervision "
    "rle polygons masks area names captions has_masks regions region pixels resized replaced empty "
    "crops cutouts label_map measure",
    "MaskRCNNConfig": "replace to_dict",
    "Augmentation": "named replace to_dict changes",
}


@pytest.mark.parametrize("name", INVENTORY)
def test_the_inventory(name):
    module = importlib.import_module(name)
    assert sorted(module.__all__) == sorted(INVENTORY[name].split())
    for public in module.__all__:
        assert getattr(module, public) is not None
        assert public in dir(module)


@pytest.mark.parametrize("name", METHODS)
def test_the_methods(name):
    cls = getattr(kmaskrcnn, name)
    missing = [method for method in METHODS[name].split() if not hasattr(cls, method)]
    assert missing == []


@pytest.mark.parametrize("name", INVENTORY)
def test_every_public_name_is_documented(name):
    module = importlib.import_module(name)
    for public in module.__all__:
        thing = getattr(module, public)
        own = getattr(thing, "__module__", "kmaskrcnn").startswith("kmaskrcnn")
        assert not own or inspect.getdoc(thing), f"{name}.{public} has no docstring"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'MaskCNN'"):
        kmaskrcnn.MaskCNN  # noqa: B018


def test_the_front_door_opens_lazily():
    code = "import sys, kmaskrcnn; dir(kmaskrcnn); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_one_version():
    changelog = (ROOT.parent / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\S+)", changelog, flags=re.MULTILINE).group(1)
    assert kmaskrcnn.__version__ == newest
