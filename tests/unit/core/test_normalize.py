"""Whose code a frame is, when the client does not say."""

import pytest

from catchall.core.normalize import is_in_app

FOREIGN = [
    ("python", "django.db", "django/db/models.py", "/srv/venv/lib/python3.11/site-packages/django/db/models.py"),
    ("python", "json.decoder", "json/decoder.py", "/usr/lib/python3.11/json/decoder.py"),
    ("python", "importlib._bootstrap", "<frozen importlib._bootstrap>", ""),
    ("python", "threading", "threading.py", ""),
    ("python", "x", "x.py", "C:\\Python311\\Lib\\site-packages\\x.py"),
    ("node", "", "node:internal/process/task_queues", ""),
    ("node", "", "/app/node_modules/express/lib/router.js", ""),
    ("javascript", "", "<anonymous>", ""),
    ("javascript", "", "chrome-extension://abc/inject.js", ""),
    ("javascript", "", "webpack-internal:///./node_modules/react/index.js", ""),
    ("java", "java.util.ArrayList", "ArrayList.java", ""),
    ("java", "sun.reflect.NativeMethodAccessorImpl", "", ""),
    ("kotlin", "kotlinx.coroutines.DispatchedTask", "DispatchedTask.kt", ""),
    ("go", "runtime", "panic.go", "/usr/local/go/src/runtime/panic.go"),
    ("go", "github.com/lib/pq", "conn.go", "/home/ci/go/pkg/mod/github.com/lib/pq@v1/conn.go"),
    ("go", "github.com/x/y", "y.go", "/build/vendor/github.com/x/y/y.go"),
    ("ruby", "", "", "/usr/local/bundle/gems/rails-7.0/lib/rails.rb"),
    ("php", "", "vendor/symfony/http-kernel/Kernel.php", ""),
    ("csharp", "System.Linq.Enumerable", "", ""),
    ("dotnet", "Microsoft.AspNetCore.Mvc", "", ""),
    ("native", "", "libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"),
    ("cocoa", "UIKit", "", "/System/Library/Frameworks/UIKit"),
    ("rust", "core::panicking", "", "/rustc/abc/library/core/src/panicking.rs"),
    ("python", "", "", ""),
]
OWN = [
    ("python", "shop.cart", "shop/cart.py", "/srv/app/shop/cart.py"),
    ("python", "threading_tools", "threading_tools.py", ""),
    ("node", "", "/app/src/cart.js", ""),
    ("javascript", "", "https://shop.example.com/static/app.js", ""),
    ("java", "com.acme.Cart", "Cart.java", ""),
    ("java", "javafoo.Cart", "", ""),
    ("go", "main", "main.go", "/build/main.go"),
    ("go", "runtimechecks", "x.go", ""),
    ("ruby", "", "", "/srv/app/models/cart.rb"),
    ("php", "", "src/Cart.php", "/var/www/src/Cart.php"),
    ("csharp", "Shop.Cart", "Cart.cs", ""),
    ("", "shop.cart", "", ""),
]


@pytest.mark.parametrize("frame", FOREIGN)
def test_code_of_others(frame):
    assert not is_in_app(*frame)


@pytest.mark.parametrize("frame", OWN)
def test_own_code(frame):
    assert is_in_app(*frame)
