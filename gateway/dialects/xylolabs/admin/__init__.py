"""The admin API, `/api/v1/admin`: what the document has, and what operators of the other dialects need beside it."""

from gateway.dialects.xylolabs.admin.access_keys import AccessKeyController
from gateway.dialects.xylolabs.admin.api_keys import ApiKeyController
from gateway.dialects.xylolabs.admin.auth import AccountController, log_in_admin, log_out_admin
from gateway.dialects.xylolabs.admin.storage import StorageController
from gateway.dialects.xylolabs.admin.tenants import TenantController
from gateway.dialects.xylolabs.admin.transactions import TransactionController
from gateway.dialects.xylolabs.admin.users import UserController

ADMIN_ROUTES = (
    log_in_admin,
    log_out_admin,
    AccountController,
    StorageController,
    ApiKeyController,
    TenantController,
    AccessKeyController,
    UserController,
    TransactionController,
)
