#!/usr/bin/env python3
"""Django's own commands for the site: `python manage.py migrate`, `python manage.py runserver --noreload PORT`.

What Django has to be told behind Session Guard is told here, and in `members.py`.
"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

settings.configure(
    ROOT_URLCONF="members",
    SECRET_KEY=os.environ["DJANGO_SECRET_KEY"],
    DEBUG=True,  # So that `runserver` serves the admin's own styles.
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        # Who is asking stands in a header of each request, and nobody else can set it.
        "members.GuardMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["members.GuardBackend"],
    # Only the guard reaches this address. It says by which host the site was asked for, so that links,
    # redirects and the check of `Origin` are about that one.
    USE_X_FORWARDED_HOST=True,
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    ALLOWED_HOSTS=[os.environ["SITE_HOST"]],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="/static/",
)

execute_from_command_line(sys.argv)
