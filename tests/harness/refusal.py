# SPDX-License-Identifier: Apache-2.0
"""What tests of refusals have in common."""
import pytest

from harness.kube import ApiError


def refused(code, call, *args, **kwargs):
    """The ApiError of a call that the server has to refuse with this HTTP status."""
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code, str(caught.value)
    assert caught.value.status["code"] == code and caught.value.status["status"] == "Failure"
    return caught.value
